package lang

var speechRU = Speech{}
