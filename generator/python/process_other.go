//go:build !linux && !darwin

package python

import (
	"errors"
	"syscall"
)

// supported says that workers can run here: process groups are needed, to end
// what a framework started together with it.
const supported = false

func ownGroup() *syscall.SysProcAttr { return nil }

func killGroup(int) {}

func awaitExit(int) error { return errors.ErrUnsupported }
