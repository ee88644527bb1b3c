package main

func writeZips() {}
