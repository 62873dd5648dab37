package model

import "errors"

// File is the name of a file of the contract.
type File string

// The files of a run. The certificate's type lives in package coverage; its
// file is encoded and decoded here like the others.
const (
	FileUseCases    File = "use_cases.json"    // []UseCase under "use_cases"
	FilePolicies    File = "policies.json"     // []Policy under "policies"
	FileTestCases   File = "test_cases.json"   // []TestCase under "test_cases"
	FileDataset     File = "dataset.json"      // []Example under "examples"
	FileManifest    File = "run_manifest.json" // Manifest
	FileCertificate File = "certificate.json"
)

// Encode returns the bytes of a file: UTF-8 JSON without a byte order mark,
// indented by two spaces, HTML not escaped, nil slices and maps written as []
// and {}, with a final newline. For the first four files v is the slice of
// items ([]UseCase for [FileUseCases]), for [FileManifest] a *Manifest, else any
// value. The same v gives the same bytes. The error is a *[FileError].
func Encode(f File, v any) ([]byte, error) {
	return nil, errors.New("not written yet")
}

// Decode reads a file into what v points at: *[]UseCase and so on for the first
// four files, *Manifest for the manifest, else any pointer. It refuses a byte
// order mark, invalid UTF-8, repeated keys, values of a wrong type, a missing
// list, and anything after the value; unknown keys are ignored, as the contract
// leaves more fields free. The error is a *[FileError].
func Decode(f File, b []byte, v any) error {
	return errors.New("not written yet")
}

// Encode returns the four data files.
func (d *Dataset) Encode() (map[File][]byte, error) {
	return nil, errors.New("not written yet")
}

// DecodeDataset reads the four data files; a missing one is an error.
func DecodeDataset(files map[File][]byte) (*Dataset, error) {
	return nil, errors.New("not written yet")
}

// Schema returns the JSON Schema of a file as it is committed in the package;
// nil for a file without one. The caller must not change it.
func Schema(f File) []byte { return nil }
