package python

import (
	"errors"
	"fmt"
)

// Environment is one framework's virtual environment, made by [Setup] and found
// whole by [Check].
type Environment struct {
	// Framework is "deepeval", "ragas" or "giskard".
	Framework string
	// Version is the framework's version, as its lock file pins it.
	Version string
	// Dir is the environment's own folder, an absolute path.
	Dir string
	// Interpreter is the Python inside Dir that the worker runs on, an absolute path.
	Interpreter string
}

// EnvironmentError says that a framework's environment is missing or is not the
// one that this version of the package works with.
type EnvironmentError struct {
	// Framework is the framework asked for.
	Framework string
	// Dir is the folder that was to hold the environment.
	Dir string
	// Reason says what is wrong there.
	Reason string
	// Command mends it, as a person would type it. The library leaves it empty;
	// an application with a command of its own fills it in.
	Command string
}

// Error ends with what mends the environment: the command, or the function.
func (e *EnvironmentError) Error() string {
	remedy := "call python.Setup for it"
	if e.Command != "" {
		remedy = "run: " + e.Command
	}
	return fmt.Sprintf("python: environment of %s in %s: %s; %s", e.Framework, e.Dir, e.Reason, remedy)
}

// Check returns the environment of a framework under dir, the folder that
// [Setup] was given. It reads a marker and looks at files; it starts nothing.
// Its error is an [EnvironmentError].
func Check(dir, framework string) (*Environment, error) {
	return nil, errors.New("python: not written yet")
}
