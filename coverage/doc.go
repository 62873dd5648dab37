// Package coverage plans which situations a dataset must show and proves what
// it shows.
//
// [Build] makes a covering array over the axes of a use case and [Verify]
// recounts one by code of its own. [CheckIntegrity] finds broken relations in a
// dataset, [Enforce] holds it against its plan and the [Minimums], and
// [Certify] writes down what is covered, so that anybody can compute it again
// with [Recheck].
//
// All functions are pure and safe for concurrent use.
package coverage
