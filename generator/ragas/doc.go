// Package ragas makes test cases by the published method of Ragas' testset
// generation, natively: a knowledge graph of documents and chunks, personas,
// scenarios of three query synthesizers in four styles and three lengths.
package ragas
