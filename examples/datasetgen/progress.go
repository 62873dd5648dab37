package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/casebook-go/casebook/coverage"
	"github.com/casebook-go/casebook/model"
	"github.com/casebook-go/casebook/orchestrate"
)

// progress shows the events of a run: one line written over on a terminal,
// plain lines elsewhere.
type progress struct {
	t       *terminal
	now     func() time.Time
	mu      sync.Mutex
	started time.Time
	stage   time.Time // when the stage began
	width   int       // of the line on the screen
	refused int
}

func newProgress(t *terminal, now func() time.Time) *progress {
	return &progress{t: t, now: now, started: now(), stage: now()}
}

func (p *progress) event(e orchestrate.Event) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch e.Kind {
	case orchestrate.EventStage:
		p.stage = p.now()
		line := e.Stage
		if e.Round > 0 {
			line += fmt.Sprintf(", round %d", e.Round)
		}
		if e.Total > 0 {
			line += fmt.Sprintf(": %d calls", e.Total)
		}
		if e.Rows > 0 {
			line += fmt.Sprintf(", %d of %d rows open", e.Open, e.Rows)
		}
		p.write(line+p.cost(e), !p.t.live)
	case orchestrate.EventCall:
		if p.t.live {
			p.write(fmt.Sprintf("%s: %d of %d calls%s%s", e.Stage, e.Done, e.Total, p.left(e), p.cost(e)), false)
		}
	case orchestrate.EventRefused:
		p.refused++
	case orchestrate.EventNotice:
		p.write("note: "+printable(e.Message), true)
	}
}

// say shows what is done before the first stage.
func (p *progress) say(line string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.write(line, !p.t.live)
}

// left is the time that the stage will still take, by what it took so far.
func (p *progress) left(e orchestrate.Event) string {
	if e.Done == 0 || e.Done == e.Total {
		return ""
	}
	d := p.now().Sub(p.stage) / time.Duration(e.Done) * time.Duration(e.Total-e.Done)
	return ", " + d.Round(time.Second).String() + " left"
}

func (p *progress) cost(e orchestrate.Event) string {
	if e.Calls == 0 {
		return ""
	}
	s := fmt.Sprintf(" (%d calls, %d tokens", e.Calls, e.Tokens)
	if e.Priced {
		s += fmt.Sprintf(", $%.4f", e.USD)
	} else {
		s += ", cost unknown"
	}
	return s + ")"
}

func (p *progress) write(line string, keep bool) {
	if !p.t.live {
		fmt.Fprintln(p.t.err, line)
		return
	}
	pad := max(0, p.width-len([]rune(line)))
	fmt.Fprintf(p.t.err, "\r%s%s", line, strings.Repeat(" ", pad))
	p.width = len([]rune(line))
	if keep {
		fmt.Fprintln(p.t.err)
		p.width = 0
	}
}

// end clears the line.
func (p *progress) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.t.live && p.width > 0 {
		fmt.Fprintf(p.t.err, "\r%s\r", strings.Repeat(" ", p.width))
		p.width = 0
	}
}

// printable makes text from outside safe for a terminal.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '\n' || r == '\t' {
			return ' '
		}
		if r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 {
			return '�'
		}
		return r
	}, s)
}

// summary says in a few lines what was made and what is missing.
func summary(w io.Writer, out string, res *orchestrate.Result, short *coverage.ShortfallError) {
	d, m, c := res.Dataset, res.Manifest, res.Certificate
	fmt.Fprintf(w, "%s: %d use cases, %d policies, %d test cases, %d examples\n", out, len(d.UseCases), len(d.Policies), len(d.TestCases), len(d.Examples))
	fmt.Fprintf(w, "formats: %s\n", tally(d.Examples, func(e *model.Example) string { return string(e.Format) }))
	if s := tally(d.Examples, func(e *model.Example) string { return string(e.Metadata.Source) }); s != "" {
		fmt.Fprintf(w, "sources: %s\n", s)
	}
	fmt.Fprintf(w, "made by: %s\n", tally(d.Examples, func(e *model.Example) string { return e.Metadata.Generator }))
	sayEngines(w, m)
	testable, both := 0, 0
	for _, p := range c.Policies {
		if p.Testable {
			testable++
			if len(p.Plain) > 0 && len(p.Pressed) > 0 {
				both++
			}
		}
	}
	fmt.Fprintf(w, "covered: %d of %d feasible value combinations; %d of %d testable policies plain and pressed (%d are not testable)\n",
		c.Tuples.Covered, c.Tuples.Feasible, both, testable, len(c.Policies)-testable)
	if n := len(res.Refused); n > 0 && res.Stop != orchestrate.StopImported {
		fmt.Fprintf(w, "refused: %d candidates, with reasons in run_manifest.json\n", n)
	}
	if u := m.Usage; u != nil && u.Calls > 0 {
		fmt.Fprintf(w, "model: %d calls, %d tokens in, %d out", u.Calls, u.InputTokens, u.OutputTokens)
		if u.USD > 0 {
			fmt.Fprintf(w, ", $%.4f", u.USD)
		}
		fmt.Fprintln(w)
	}
	if m.StopReason != "" {
		fmt.Fprintf(w, "note: the model was given up (%s); the rest was made by rules\n", printable(m.StopReason))
	}
	if short != nil {
		fmt.Fprintln(w, "missing:")
		const most = 12
		for i, s := range short.Shortfalls {
			if i == most {
				fmt.Fprintf(w, "  ... and %d more in certificate.json\n", len(short.Shortfalls)-most)
				break
			}
			where := ""
			if s.Where != "" {
				where = " of " + s.Where
			}
			fmt.Fprintf(w, "  %s%s: %d of %d: %s\n", s.What, where, s.Have, s.Want, printable(s.Why))
		}
	}
}

func tally(examples []model.Example, key func(*model.Example) string) string {
	n := map[string]int{}
	for i := range examples {
		if k := key(&examples[i]); k != "" {
			n[k]++
		}
	}
	var parts []string
	for _, k := range slices.Sorted(maps.Keys(n)) {
		parts = append(parts, fmt.Sprintf("%s %d", k, n[k]))
	}
	return strings.Join(parts, ", ")
}
