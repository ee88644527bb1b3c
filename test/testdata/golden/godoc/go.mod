module example.test/godoc

go 1.26
