package lang

var marksEN = Marks{}
