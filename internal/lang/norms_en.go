package lang

var normsEN = Norms{}
