package main

func writeModFiles() {}
