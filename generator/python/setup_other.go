//go:build !linux && !darwin

package python

import "errors"

func lockFolder(string) (func(), error) { return nil, errors.ErrUnsupported }

func room(string) (int64, bool) { return 0, false }
