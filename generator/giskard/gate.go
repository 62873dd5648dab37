package giskard

import (
	"context"

	"github.com/casebook-go/casebook/generator/llm"
)

// gate lets at most as many calls through at once as it has room.
type gate struct {
	client llm.Client
	room   chan struct{}
}

func newGate(c llm.Client, n int) *gate { return &gate{c, make(chan struct{}, n)} }

// Complete waits for its turn and completes the request.
func (g *gate) Complete(ctx context.Context, req *llm.Request) (*llm.Response, error) {
	select {
	case g.room <- struct{}{}:
		defer func() { <-g.room }()
		return g.client.Complete(ctx, req)
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// Model is the name of the client's model.
func (g *gate) Model() string { return llm.ModelOf(g.client) }
