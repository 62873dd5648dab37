package coverage

import "github.com/casebook-go/casebook/model"

// Verifier is the version of the counting rules behind a [Certificate].
const Verifier = "coverage/1"

// Certificate says what a dataset covers and what it does not, and why. It is
// computed from the contents of the files alone.
type Certificate struct {
	Verifier      string           `json:"verifier"`
	DatasetSHA256 string           `json:"dataset_sha256"` // of dataset.json's bytes
	Strength      int              `json:"strength"`       // the least of the use cases
	Tuples        Tuples           `json:"tuples"`
	Policies      []PolicyCoverage `json:"policies"`
	Pairs         []PairCoverage   `json:"pairs"`
	// SentencesUnmapped are sentences of obligation that no policy has as evidence.
	SentencesUnmapped []model.Evidence `json:"sentences_unmapped"`
	Gaps              []Gap            `json:"gaps"`
	Shortfalls        []Shortfall      `json:"shortfalls"`
}

// Tuples are the sums over all use cases.
type Tuples struct {
	Total    int             `json:"total"`
	Feasible int             `json:"feasible"`
	Covered  int             `json:"covered"`
	UseCases []UseCaseTuples `json:"use_cases"`
}

// UseCaseTuples is the recount for one use case over its accepted examples.
type UseCaseTuples struct {
	UseCaseID string `json:"use_case_id"`
	Strength  int    `json:"strength"`
	Total     int    `json:"total"`
	Feasible  int    `json:"feasible"`
	Covered   int    `json:"covered"`
	// Witness gives an example's id for the key of every covered tuple.
	Witness map[string]string `json:"witness"`
}

// PolicyCoverage says which examples show a policy.
type PolicyCoverage struct {
	ID       string   `json:"id"`
	Testable bool     `json:"testable"`
	Reason   string   `json:"reason,omitempty"` // why it is not testable
	Plain    []string `json:"plain,omitempty"`
	Pressed  []string `json:"pressed,omitempty"`
}

// PairCoverage says which examples cite both of two policies that can meet.
type PairCoverage struct {
	Policies [2]string `json:"policies"`
	Examples []string  `json:"examples"`
}

// CertifyInput is what a certificate is computed from.
type CertifyInput struct {
	Dataset    *model.Dataset
	Plan       []model.UseCasePlan
	Unmapped   []model.Evidence
	Gaps       []Gap
	Shortfalls []Shortfall
}

// Certify computes the certificate.
func Certify(in *CertifyInput) (*Certificate, error) { return nil, nil }

// Recheck computes the certificate again from the files and returns every
// difference as a sentence; none means that the certificate holds.
func Recheck(c *Certificate, d *model.Dataset, plan []model.UseCasePlan) []string { return nil }
