module github.com/casebook-go/casebook

go 1.26.0

require (
	github.com/kljensen/snowball v0.10.0 // indirect
	golang.org/x/sync v0.24.0 // indirect
)
