// Package ragas makes test cases by the published method of Ragas' testset
// generation, natively: a knowledge graph of documents and chunks, people who
// come with a need, and scenarios of three query synthesizers in four styles and
// three lengths.
//
// [Generate] makes a testset on its own, of documents, of chunks ([FromTexts]) or
// of a ready graph ([Load], [Build]). [New] returns the generator that fills
// planned rows in a run. Both work in these steps, each of them in batches of
// items with up to [Options].Concurrency calls at once:
//
//   - the graph: one call reads several chunks for summary, themes, entities and
//     a score; chunks of no use are dropped; summaries that are near and names
//     that are shared link the others, at most so many edges a node;
//   - personas, given or made, and what could bring each of them to write;
//   - scenarios: nodes and terms from the graph, with styles, lengths, personas
//     and documents drawn in even shares;
//   - messages for the scenarios, then replies to them, both checked against the
//     whole documents and mended once. A multi-hop sample whose reply does not
//     need two contexts is made again.
//
// Files and records are Ragas' own, see [Sample] and [Graph]. Nothing is random:
// ids are names of what they stand for, draws follow from [Options].Seed, and
// the same replies give the same bytes at any concurrency.
package ragas
