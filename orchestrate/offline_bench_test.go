package orchestrate_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"runtime/metrics"
	"strings"
	"testing"

	"github.com/casebook-go/casebook/coverage"
	"github.com/casebook-go/casebook/internal/bulk"
	"github.com/casebook-go/casebook/model"
	"github.com/casebook-go/casebook/orchestrate"
)

// BenchmarkOffline measures a whole run without a model on large documents: one
// that repeats itself, and one of thousands of different questions, which makes
// thousands of test cases. The limit is 3 s for 1 MB: of-limit is the share of it
// that 1 MB takes at the measured pace. cases/MB says what the time went into,
// live-MB what the run holds at its end.
func BenchmarkOffline(b *testing.B) {
	const (
		limit = 3.0 // seconds for 1 MB
		mb    = 1 << 20
	)
	repeated := func(name string) func(int) string {
		return func(size int) string {
			raw, err := os.ReadFile(filepath.Join("..", "examples", "documents", name))
			if err != nil {
				b.Fatal(err)
			}
			return strings.Repeat(string(raw)+"\n", size/len(raw)+1)
		}
	}
	different := func(language string) func(int) string {
		return func(size int) string { return bulk.Document(language, size, 1) }
	}
	for _, shape := range []struct {
		name string
		text func(size int) string
	}{
		{"repeated/en", repeated("hotel_en.md")},
		{"repeated/ru", repeated("internet_provider_ru.md")},
		{"different/en", different("en")},
		{"different/ru", different("ru")},
	} {
		for _, size := range []struct {
			name  string
			bytes int
		}{{"quarter", mb / 4}, {"whole", mb}} {
			b.Run(shape.name+"/"+size.name, func(b *testing.B) {
				if testing.Short() && size.bytes == mb {
					b.Skip("a whole megabyte takes long")
				}
				raw := []byte(shape.text(size.bytes))
				cases := 0
				var res *orchestrate.Result
				for b.Loop() {
					doc, err := model.ParseMarkdown("bulk.md", raw, nil)
					if err != nil {
						b.Fatal(err)
					}
					o, err := orchestrate.New(orchestrate.Builtin(), &orchestrate.Options{Seed: 42})
					if err != nil {
						b.Fatal(err)
					}
					var short *coverage.ShortfallError
					res, err = o.Run(context.Background(), &orchestrate.Input{Documents: []*model.Document{doc}})
					if err != nil && !errors.As(err, &short) {
						b.Fatal(err)
					}
					cases = len(res.Dataset.TestCases)
				}
				seconds := b.Elapsed().Seconds() / float64(b.N) * mb / float64(len(raw))
				b.ReportMetric(seconds, "s/MB")
				b.ReportMetric(seconds/limit, "of-limit")
				b.ReportMetric(float64(cases)*mb/float64(len(raw)), "cases/MB")
				runtime.GC()
				live := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
				metrics.Read(live)
				b.ReportMetric(float64(live[0].Value.Uint64())/mb, "live-MB")
				runtime.KeepAlive(res)
			})
		}
	}
}
