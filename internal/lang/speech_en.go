package lang

var speechEN = Speech{}
