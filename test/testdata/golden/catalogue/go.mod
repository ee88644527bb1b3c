module gokeep.example/golden/catalogue

go 1.26.0
