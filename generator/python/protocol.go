package python

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"
)

// protocolVersion is the protocol that worker/main.py speaks: lines of JSON,
// jobs in, records and the ends of tasks out.
const protocolVersion = 1

// recordCost is what keeping a record takes beside its text, in bytes.
const recordCost = 64

// maxMessage bounds the text of a [TaskError], in bytes.
const maxMessage = 4 << 10

// job is a batch of tasks for one worker.
type job struct {
	// Op names what the driver is to do with the tasks.
	Op string
	// Endpoint is where the framework's calls to the model go.
	Endpoint endpoint
	// Concurrency is how many calls to the model may be under way.
	Concurrency int
	// Shared is what the tasks have in common; nil for nothing.
	Shared json.RawMessage
	// Tasks have ids that differ; none is an error.
	Tasks []task
	// Progress is told what the driver counts, from the goroutine of run; it
	// must return quickly. It may be nil.
	Progress func(done, total int)
}

// task is one item of a job: what the driver gives the framework.
type task struct {
	ID   string          `json:"id"`
	Seed int64           `json:"seed"`
	Body json.RawMessage `json:"body"`
}

// endpoint is an OpenAI-compatible server on loopback and the token it takes.
type endpoint struct {
	URL            string `json:"url"`
	Token          string `json:"token"`
	Model          string `json:"model"`
	EmbeddingModel string `json:"embedding_model"`
}

// replies is what came of a job, a reply for each task in their order.
type replies struct {
	Tasks []taskReply
}

// taskReply is what came of one task.
type taskReply struct {
	// Records are the driver's, in the order they were written. A task that did
	// not end keeps those it had.
	Records []json.RawMessage
	// Err is the task's failure, which ends it too.
	Err *TaskError
	// Ended says that the worker told the task's end. Without it the task is
	// lost with its worker, and another one may be given it.
	Ended bool
}

// encode makes the line of a job.
func (j *job) encode(id string) ([]byte, error) {
	seen := make(map[string]bool, len(j.Tasks))
	for i := range j.Tasks {
		if seen[j.Tasks[i].ID] {
			return nil, fmt.Errorf("python: two tasks of a job have the id %q", j.Tasks[i].ID)
		}
		seen[j.Tasks[i].ID] = true
	}
	b, err := json.Marshal(struct {
		Type        string          `json:"type"`
		ID          string          `json:"id"`
		Op          string          `json:"op"`
		Endpoint    endpoint        `json:"endpoint"`
		Concurrency int             `json:"concurrency"`
		Shared      json.RawMessage `json:"shared"`
		Tasks       []task          `json:"tasks"`
	}{"job", id, j.Op, j.Endpoint, max(1, j.Concurrency), j.Shared, slices.Concat([]task{}, j.Tasks)})
	if err != nil {
		return nil, fmt.Errorf("python: a job cannot be written: %w", err)
	}
	return append(b, '\n'), nil
}

// message is a line of a worker. Which fields count follows from Type.
type message struct {
	Type string `json:"type"`

	Protocol  int               `json:"protocol"`  // ready
	Framework string            `json:"framework"` // ready
	Version   string            `json:"version"`   // ready, of the framework
	Python    string            `json:"python"`    // ready
	Packages  map[string]string `json:"packages"`  // ready

	Job     string          `json:"job"`     // all but ready and failed
	Task    string          `json:"task"`    // record, done, error
	Record  json.RawMessage `json:"record"`  // record
	Error   *fault          `json:"error"`   // error, failed
	Done    int             `json:"done"`    // progress
	Total   int             `json:"total"`   // progress
	Records int             `json:"records"` // result
	Errors  int             `json:"errors"`  // result
}

// fault is an exception as a worker tells it.
type fault struct {
	Kind    Kind   `json:"kind"`
	Type    string `json:"type"`
	Message string `json:"message"`
}

// task is the error of a task that failed with it.
func (f *fault) task(framework string, redact func(string) string) *TaskError {
	return &TaskError{
		Framework: framework, Kind: f.Kind, Type: clip(clean(f.Type), 200), Message: clip(redact(clean(f.Message)), maxMessage),
	}
}

// The types of messages.
const (
	typeReady    = "ready"
	typeFailed   = "failed"
	typeProgress = "progress"
	typeRecord   = "record"
	typeDone     = "done"
	typeError    = "error"
	typeResult   = "result"
)

// parseMessage reads a line, without its end, and checks what can be checked of
// it alone.
func parseMessage(line []byte) (*message, error) {
	if !utf8.Valid(line) {
		return nil, errors.New("a line is not UTF-8")
	}
	m := &message{}
	if err := json.Unmarshal(line, m); err != nil {
		return nil, fmt.Errorf("a line is no message: %w", err)
	}
	switch m.Type {
	case typeReady, typeDone, typeResult, typeProgress:
	case typeFailed, typeError:
		if m.Error == nil {
			return nil, fmt.Errorf("a message %q names no error", m.Type)
		}
	case typeRecord:
		if !bytes.HasPrefix(m.Record, []byte("{")) {
			return nil, errors.New("a record is no object")
		}
	default:
		return nil, fmt.Errorf("a message has the type %q", clip(m.Type, 40))
	}
	if min(m.Done, m.Total, m.Records, m.Errors) < 0 {
		return nil, fmt.Errorf("a message %q counts below zero", m.Type)
	}
	return m, nil
}

// hello checks the first message of a worker.
func (m *message) hello(env *Environment) error {
	switch {
	case m.Type != typeReady:
		return fmt.Errorf("its first message is %q", m.Type)
	case m.Protocol != protocolVersion:
		return fmt.Errorf("it speaks protocol %d instead of %d", m.Protocol, protocolVersion)
	case m.Framework != env.Framework:
		return fmt.Errorf("it runs %q", clip(m.Framework, 40))
	case env.Version != "" && m.Version != env.Version:
		return fmt.Errorf("it runs version %q instead of %q", clip(m.Version, 40), env.Version)
	}
	return nil
}

// transcript reads the messages of one job.
type transcript struct {
	framework string
	id        string
	job       *job
	index     map[string]int // of tasks, by id
	out       *replies
	records   int
	errors    int
	size      int // bytes of the records so far
	maxSize   int
	redact    func(string) string
	over      bool // the result has come
}

func newTranscript(framework, id string, j *job, maxSize int, redact func(string) string) *transcript {
	t := &transcript{framework: framework, id: id, job: j, maxSize: maxSize, redact: redact, index: map[string]int{}, out: emptyReplies(j)}
	for i := range j.Tasks {
		t.index[j.Tasks[i].ID] = i
	}
	return t
}

// emptyReplies are those of a job that no worker has done anything of.
func emptyReplies(j *job) *replies { return &replies{Tasks: make([]taskReply, len(j.Tasks))} }

// errJobSize says that a job has more records than are kept.
var errJobSize = errors.New("the records of one job are too large")

// read takes in one message. An error is a break of the protocol, or errJobSize.
func (t *transcript) read(m *message) error {
	if m.Type == typeReady || m.Type == typeFailed {
		return fmt.Errorf("a message %q comes in the middle of a job", m.Type)
	}
	if t.over {
		return fmt.Errorf("a message %q comes after the result", m.Type)
	}
	if m.Job != t.id {
		return fmt.Errorf("a message %q is of job %q instead of %q", m.Type, clip(m.Job, 40), t.id)
	}
	switch m.Type {
	case typeProgress:
		if t.job.Progress != nil {
			t.job.Progress(m.Done, m.Total)
		}
		return nil
	case typeResult:
		return t.result(m)
	}
	i, ok := t.index[m.Task]
	if !ok {
		return fmt.Errorf("a message %q is of task %q, which the job does not have", m.Type, clip(m.Task, 40))
	}
	r := &t.out.Tasks[i]
	if r.Ended {
		return fmt.Errorf("a message %q is of task %q, which had ended", m.Type, m.Task)
	}
	switch m.Type {
	case typeRecord:
		if t.size += len(m.Record) + recordCost; t.size > t.maxSize {
			return errJobSize
		}
		t.records++
		r.Records = append(r.Records, m.Record)
	case typeError:
		t.errors++
		r.Err = m.Error.task(t.framework, t.redact)
		r.Ended = true
	case typeDone:
		r.Ended = true
	}
	return nil
}

func (t *transcript) result(m *message) error {
	for i := range t.out.Tasks {
		if !t.out.Tasks[i].Ended {
			return fmt.Errorf("the result comes before the end of task %q", t.job.Tasks[i].ID)
		}
	}
	if m.Records != t.records || m.Errors != t.errors {
		return fmt.Errorf("the result counts %d records and %d errors where %d and %d came", m.Records, m.Errors, t.records, t.errors)
	}
	t.over = true
	return nil
}

// lineReader reads lines of bounded length.
type lineReader struct {
	r   *bufio.Reader
	max int
}

// errLineSize says that a line is longer than lines may be.
var errLineSize = errors.New("a line is too long")

func newLineReader(r io.Reader, limit int) *lineReader {
	return &lineReader{r: bufio.NewReaderSize(r, 64<<10), max: limit}
}

// next returns the next line without its end; the bytes are the caller's. What
// follows the last end of line is no line, since its writer did not finish it.
// A line longer than the limit is errLineSize, and is not read to its end.
func (l *lineReader) next() ([]byte, error) {
	var line []byte
	for {
		part, err := l.r.ReadSlice('\n')
		if len(line)+len(part) > l.max+1 {
			return nil, fmt.Errorf("%w: more than %d bytes", errLineSize, l.max)
		}
		line = append(line, part...)
		switch {
		case err == nil:
			return line[:len(line)-1], nil
		case !errors.Is(err, bufio.ErrBufferFull):
			return nil, err
		}
	}
}

// more reports whether something of what follows is here already.
func (l *lineReader) more() bool { return l.r.Buffered() > 0 }

// clean takes out of a text what a terminal or a log could trip over.
func clean(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n', r == '\t':
			return r
		case r < ' ', r >= 0x7f && r < 0xa0:
			return -1
		}
		return r
	}, strings.ToValidUTF8(text, "\uFFFD"))
}
