package lang

var voiceEN = Voice{}
