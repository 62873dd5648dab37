package lang

var marksRU = Marks{}
