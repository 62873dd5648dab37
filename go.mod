module github.com/casebook-go/casebook

go 1.26.0
