package lang

var voiceRU = Voice{}
