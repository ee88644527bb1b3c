package nasty

// OnWindows is elsewhere.
func OnWindows() {}
