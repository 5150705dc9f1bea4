module equiconv.example/first

go 1.19
