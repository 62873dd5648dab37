package llm

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"sync"
)

// Key returns the SHA-256, in hex, of the canonical request: its compact JSON,
// with the model's name and without the purpose.
func Key(req *Request) string {
	canonical := *req
	if canonical.Messages == nil {
		canonical.Messages = []Message{}
	}
	b, err := json.Marshal(&canonical)
	if err != nil {
		// A schema that is no JSON, or a temperature that is no number: such a
		// request cannot be sent, but it still has an identity.
		b = fmt.Appendf(nil, "%v\n%#v", err, canonical.Messages)
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// Entry is one recorded call: Response or Error is set.
type Entry struct {
	Key      string    `json:"key"` // see [Key]
	Purpose  string    `json:"purpose,omitempty"`
	Request  *Request  `json:"request"`
	Response *Response `json:"response,omitempty"`
	Error    *Error    `json:"error,omitempty"`
}

// RecordWriter takes recorded calls. It must be safe for concurrent use and
// must not change or keep what an entry points at.
type RecordWriter interface {
	WriteEntry(e *Entry) error
}

// Record returns c with every call written to w: its reply, or the failure if
// it is an *[Error]. Other errors (a cancelled context, a spent budget) are no
// fact about the request and are not recorded. A record holds no key: none is
// in a request, and what looks like one in a provider's message is cut out.
//
// Put it outside of all other decorators, so that a replay needs none of them.
// An entry that cannot be written fails the call.
func Record(c Client, w RecordWriter) Client { return &recording{wrapped{c}, w} }

type recording struct {
	wrapped
	w RecordWriter
}

func (c *recording) Complete(ctx context.Context, req *Request) (*Response, error) {
	resp, err := complete(ctx, c.next, req)
	entry := &Entry{Purpose: req.Purpose, Request: req, Response: resp}
	if err != nil {
		var e *Error
		if !errors.As(err, &e) || ctx.Err() != nil {
			return resp, err
		}
		clean := *e
		clean.Message = redact(clean.Message)
		clean.Err = nil
		if clean.Message == "" && e.Err != nil {
			clean.Message = redact(e.Err.Error())
		}
		entry.Response, entry.Error = nil, &clean
	}
	entry.Key = Key(req)
	if werr := c.w.WriteEntry(entry); werr != nil {
		return nil, errors.Join(fmt.Errorf("llm: cannot record the reply to %s: %w", cmp.Or(req.Purpose, "a request"), werr), err)
	}
	return resp, err
}

var secret = regexp.MustCompile(`(?i)\b(?:sk|key|api)-[a-z0-9_*.-]{6,}|\bbearer\s+\S+`)

// redact cuts out what looks like a key.
func redact(s string) string { return secret.ReplaceAllString(s, "[redacted]") }

// Recorder is a [RecordWriter] that collects calls in memory and writes them in
// an order that does not depend on timing. The zero value is ready. It is safe
// for concurrent use.
type Recorder struct {
	mu    sync.Mutex
	keys  []string
	byKey map[string][][]byte // lines, in order of arrival
}

// WriteEntry adds e.
func (r *Recorder) WriteEntry(e *Entry) error {
	b, err := json.Marshal(e)
	if err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.byKey == nil {
		r.byKey = map[string][][]byte{}
	}
	if _, ok := r.byKey[e.Key]; !ok {
		r.keys = append(r.keys, e.Key)
	}
	r.byKey[e.Key] = append(r.byKey[e.Key], append(b, '\n'))
	return nil
}

// WriteTo writes the entries so far as JSON lines, sorted by key; entries of
// one key stay in their order.
func (r *Recorder) WriteTo(w io.Writer) (int64, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	slices.Sort(r.keys)
	var n int64
	for _, k := range r.keys {
		for _, line := range r.byKey[k] {
			m, err := w.Write(line)
			n += int64(m)
			if err != nil {
				return n, err
			}
		}
	}
	return n, nil
}

// NewRecordWriter returns a [RecordWriter] that writes each entry to w as it
// comes, as one line of JSON in one Write, so that a run that is killed leaves
// what it has paid for.
func NewRecordWriter(w io.Writer) RecordWriter { return &lineWriter{w: w} }

type lineWriter struct {
	mu sync.Mutex
	w  io.Writer
}

func (l *lineWriter) WriteEntry(e *Entry) error {
	b, err := json.Marshal(e)
	if err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	_, err = l.w.Write(append(b, '\n'))
	return err
}

// Replay returns a client that answers from records, read to their end before
// it returns. A request that was recorded several times gets its answers in
// their order, and then the last one again. A request that is not among them
// fails with a *[MissingError]. The client is safe for concurrent use.
//
// A last line without its end is what a killed run leaves: it is ignored if it
// cannot be read.
func Replay(records ...io.Reader) (Client, error) {
	c := &replay{answers: map[string][]*Entry{}}
	for i, r := range records {
		br := bufio.NewReader(r)
		for n := 1; ; n++ {
			b, err := br.ReadBytes('\n')
			if err != nil && err != io.EOF {
				return nil, fmt.Errorf("llm: record %d, line %d: %w", i+1, n, err)
			}
			whole := err == nil
			if b = bytes.TrimSpace(b); len(b) > 0 {
				e, err := readEntry(b)
				if err != nil && whole {
					return nil, fmt.Errorf("llm: record %d, line %d: %w", i+1, n, err)
				}
				if err == nil {
					c.answers[e.Key] = append(c.answers[e.Key], e)
				}
			}
			if !whole {
				break
			}
		}
	}
	return c, nil
}

func readEntry(b []byte) (*Entry, error) {
	var e Entry
	if err := json.Unmarshal(b, &e); err != nil {
		return nil, err
	}
	switch {
	case e.Request == nil:
		return nil, errors.New("no request")
	case (e.Response == nil) == (e.Error == nil):
		return nil, errors.New("must have either a response or an error")
	}
	if e.Key == "" {
		e.Key = Key(e.Request)
	}
	return &e, nil
}

type replay struct {
	mu      sync.Mutex
	answers map[string][]*Entry
}

func (c *replay) Complete(ctx context.Context, req *Request) (*Response, error) {
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	key := Key(req)
	c.mu.Lock()
	left := c.answers[key]
	if len(left) > 1 {
		c.answers[key] = left[1:]
	}
	c.mu.Unlock()
	if len(left) == 0 {
		return nil, &MissingError{Purpose: req.Purpose, Key: key}
	}
	if e := left[0].Error; e != nil {
		clone := *e
		return nil, &clone
	}
	clone := *left[0].Response
	clone.Calls = slices.Clone(clone.Calls)
	return &clone, nil
}

// MissingError is a request that no record answers. Find it with errors.As.
type MissingError struct {
	Purpose string
	Key     string // of the request; see [Key]
}

// Error names the request and the remedy.
func (e *MissingError) Error() string {
	return fmt.Sprintf("llm: no record answers the request for %s (key %s): record it again with a model", cmp.Or(e.Purpose, "an unnamed purpose"), e.Key)
}
