package openai

import (
	"net/http"
	"testing"
)

// A proxy of the environment would see documents, and over plain HTTP the key.
// Go never asks one for the loopback address, so the field itself is looked at.
func TestOwnTransportHasNoProxy(t *testing.T) {
	t.Parallel()
	for _, given := range []*http.Client{nil, {}} {
		own, ok := httpClient(given).Transport.(*http.Transport)
		if !ok || own.Proxy != nil {
			t.Errorf("httpClient(%v): transport %T with a proxy", given, own)
		}
	}
	mine := &http.Transport{}
	if got := httpClient(&http.Client{Transport: mine}).Transport; got != mine {
		t.Error("the given transport is not used")
	}
}
