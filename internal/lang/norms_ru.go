package lang

var normsRU = Norms{}
