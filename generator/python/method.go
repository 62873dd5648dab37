package python

import (
	"context"
	"encoding/json"

	"github.com/casebook-go/casebook/generator"
	"github.com/casebook-go/casebook/internal/answer"
	"github.com/casebook-go/casebook/internal/chunk"
	"github.com/casebook-go/casebook/model"
)

// method is what differs between the frameworks. Its functions are called side
// by side for different slots of one call.
type method interface {
	// generator returns the generator of the Go engine, whose tool and record
	// format the framework takes over.
	generator() (generator.Generator, error)
	// prepare makes what the tasks of a call share, such as a graph of the
	// chunks, once in a run where it does not depend on the call; nil for
	// nothing. It goes into the job beside the tasks.
	prepare(ctx context.Context, w *work) (json.RawMessage, error)
	// op names what the driver is to do with the tasks of the slots.
	op() string
	// body is the task of a slot: what the driver gives the framework.
	// w.try counts from 0.
	body(w *work, s *slot) (any, error)
	// read reads a record that came back. An error refuses it, and the slot is
	// tried again. It is also given the native record of a refused item, which
	// is then to be mended.
	read(w *work, s *slot, record json.RawMessage) (*made, error)
	// write returns the native record with the input and the output of f. Where
	// they are not what the framework wrote, the record says what it wrote,
	// under [OriginalInput] and [OriginalOutput].
	write(w *work, s *slot, f *answer.Final) (json.RawMessage, error)
}

// slot is one example to make: of a row of the call, which has one for each
// example it asks for.
type slot struct {
	index int // in the call
	row   *model.Row
	// example counts the slots of the row from 0.
	example int
	// chunks are the passages that the row is about, the first policy's first.
	chunks []chunk.Chunk
	seed   uint64 // of the try under way
	made   *made
	final  *answer.Final
	err    error // why it is still open; nil when final is set
}

// made is what a framework made for a slot.
type made struct {
	native any // the record, parsed: *deepeval.Golden, ...
	// input and output are as the framework wrote them. An open item may have no
	// output: then it is written.
	input, output string
	// contexts are the passages that the record names, found again in the
	// documents; what is in none is left out.
	contexts []chunk.Chunk
	// ask is what the method asks of input and reply, see [answer.Draft].
	ask string
	// open says that nothing in the document is meant to settle the input.
	open bool
}
