//go:build linux || darwin

package python

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/casebook-go/casebook/generator"
	"github.com/casebook-go/casebook/generator/ragas"
)

func init() { //nolint:gochecknoinits // see parts
	parts["ragas"] = playRagas
}

// playRagas makes a graph and samples as the driver does. What it does with a task
// is by its op and words.
func playRagas(f *fakeWorker) {
	acts := f.acts()
	f.say(`{"type":"ready","protocol":1,"framework":"ragas","version":"0.4.3","python":"3.11.0","packages":{}}`)
	for {
		j := f.job()
		records, failed := 0, 0
		for _, t := range j.Tasks {
			f.note(j.Op, int(t.Seed))
			switch f.act(acts, j.Op+" "+string(t.Body)) {
			case "crash":
				os.Exit(3)
			case "error":
				f.say(j.failed(t.ID))
				failed++
				continue
			}
			raw, err := json.Marshal(ragasPlayed(j, t))
			if err != nil {
				f.die("%v", err)
			}
			f.say(fmt.Sprintf(`{"type":"record","job":%q,"task":%q,"record":%s}`, j.ID, t.ID, raw), j.done(t.ID))
			records++
		}
		f.say(j.result(records, failed))
	}
}

func ragasPlayed(j *fakeJob, t task) any {
	var body struct {
		ragasSample
		ID   string `json:"id"`
		Text string `json:"text"`
	}
	var shared struct{ Personas []ragas.Persona }
	if err := json.Unmarshal(t.Body, &body); err != nil && j.Op != "link" {
		panic(err)
	}
	_ = json.Unmarshal(j.Shared, &shared) // there is none but for samples
	switch j.Op {
	case "graph":
		words := strings.Fields(body.Text)
		return ragasFound{Summary: body.Text, Embedding: []float32{1, 2}, Themes: words[:1], Entities: words[1:2]}
	case "link":
		return ragasLinked{Personas: []ragas.Persona{{Name: "Анна", Role: "Ездит."}, {Name: "Bo", Role: "Rides."}}}
	default:
		out := map[string]any{
			"user_input": fmt.Sprintf("Need %s of %d: %s?", strings.Repeat("so ", int(t.Seed%7)), t.Seed, body.Nodes[0].Text),
			"reference":  body.Nodes[0].Text, "persona_name": shared.Personas[body.Persona].Name,
			"query_style": body.Style, "query_length": body.Length, "synthesizer_name": body.Synthesizer,
		}
		var contexts []string
		for i, n := range body.Nodes {
			text := n.Text
			if len(body.Nodes) > 1 {
				text = ragas.Tag(i+1, text)
			}
			contexts = append(contexts, text)
		}
		out["reference_contexts"] = contexts
		return out
	}
}

// fakeRagas is an engine whose Ragas is played.
func fakeRagas(t *testing.T, acts ...act) (*Engine, *Environment) {
	t.Helper()
	root, env := fakeEnvironments(t, "ragas", acts...)
	env.Framework, env.Version, env.Dir = Ragas, "0.4.3", filepath.Join(root, Ragas)
	if err := os.Rename(filepath.Join(root, DeepEval), env.Dir); err != nil {
		t.Fatal(err)
	}
	env.Interpreter = filepath.Join(env.Dir, "bin", "python")
	o, err := Options{Framework: Ragas, Dir: root, Temp: t.TempDir(), Workers: 1}.settled()
	if err != nil {
		t.Fatal(err)
	}
	e := &Engine{o: o, env: env, pool: newPool(env, poolOptions{Workers: o.Workers, Temp: o.Temp, Start: o.Start, Stall: o.Stall, Idle: o.Idle})}
	if e.inner, err = wrap(e, newRagas(), func(p ragas.Params) []string { return p.DocumentPaths }); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return e, env
}

// ops counts the tasks that the workers of an environment had, by what was to be
// done, and those of them that were done again with the same seed.
func ops(t *testing.T, env *Environment) map[string]int {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(env.Dir, "pids"))
	if err != nil {
		t.Fatal(err)
	}
	out, seen := map[string]int{}, map[string]bool{}
	for line := range strings.Lines(string(b)) {
		op, _, _ := strings.Cut(line, " ")
		if op == "worker" {
			continue
		}
		out[op]++
		if seen[line] {
			out["again"]++
		}
		seen[line] = true
	}
	return out
}

// The graph is made once in a run, and whatever of it fails costs that part only.
func TestRagasGraphIsMadeOnceAndOfWhatThereIs(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		acts    []act
		ops     map[string]int
		nobody  bool // no persona was made
		dropped bool
	}{
		{"all is well", nil, map[string]int{"graph": 4, "link": 1, "samples": 4}, false, false},
		{"a passage fails once", []act{{Of: "graph", Do: "error", Times: 1}}, map[string]int{"graph": 5, "link": 1, "samples": 4}, false, false},
		{"every passage fails", []act{{Of: "graph", Do: "error"}}, map[string]int{"graph": 8, "link": 1, "samples": 4}, false, false},
		{"a worker ends in a passage", []act{{Of: "graph", Do: "crash", Times: 1}}, map[string]int{"graph": 5, "again": 1, "link": 1, "samples": 4}, false, false},
		{"the links fail", []act{{Of: "link {", Do: "error"}}, map[string]int{"graph": 4, "link": 2, "samples": 4}, true, false},
		{"a worker ends in the links", []act{{Of: "link {", Do: "crash", Times: 1}}, map[string]int{"graph": 4, "again": 1, "link": 2, "samples": 4}, false, false},
		{"a worker ends in a sample", []act{{Of: "samples", Do: "crash", Times: 1}}, map[string]int{"graph": 4, "again": 1, "link": 1, "samples": 5}, false, false},
		{"every sample fails", []act{{Of: "samples", Do: "error"}}, nil, false, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			e, env := fakeRagas(t, tt.acts...)
			memo := &generator.Memo{}
			for n, names := range [][]string{{"Deposit", "Helmets"}, {"Late return", "Lost keys"}} {
				call := bikeCall(t, "Deposit", "Late return", "Helmets", "Lost keys")
				call.Memo, call.Args = memo, json.RawMessage(`{"test_size":100,"reasoning_ratio":0}`)
				call.Rows = call.Rows[2*n : 2*n+2]
				out, err := e.Generate(t.Context(), call)
				if tt.dropped {
					if err == nil || !strings.Contains(err.Error(), "no such thing") || len(out.Dropped) != 2 {
						t.Errorf("error %v, dropped %v; want both rows, for what the framework said", err, out.Dropped)
					}
					continue
				}
				if err != nil || len(out.Records) != 2 {
					t.Fatalf("%v: %d records, dropped %v, error %v", names, len(out.Records), out.Dropped, err)
				}
				for _, r := range out.Records {
					s, err := ragas.Parse(r.JSON)
					if err != nil {
						t.Fatal(err)
					}
					if (s.PersonaName == "") != tt.nobody {
						t.Errorf("the persona of %s is %q; want nobody: %v", r.Row, s.PersonaName, tt.nobody)
					}
				}
			}
			if diff := cmp.Diff(tt.ops, ops(t, env)); tt.ops != nil && diff != "" {
				t.Errorf("tasks (-want +got):\n%s", diff)
			}
		})
	}
}
