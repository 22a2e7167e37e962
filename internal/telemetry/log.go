// Package telemetry is what the program says of itself: JSON log lines, and one line of metrics for each invocation.
package telemetry

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"

	"github.com/aws/aws-lambda-go/lambdacontext"

	"github.com/cniguard/cniguard/internal/cluster"
	"github.com/cniguard/cniguard/internal/guard"
	"github.com/cniguard/cniguard/internal/plain"
)

// Level reads a log level: debug, info, warn or error, in any case; the empty text is info.
func Level(s string) (slog.Level, error) {
	switch strings.ToLower(s) {
	case "debug":
		return slog.LevelDebug, nil
	case "", "info":
		return slog.LevelInfo, nil
	case "warn":
		return slog.LevelWarn, nil
	case "error":
		return slog.LevelError, nil
	}
	return 0, fmt.Errorf("read log level %q: want debug, info, warn or error", s)
}

// Logger writes one JSON object a line, with the keys timestamp, level and message that Lambda's own JSON format uses. A line
// that is logged with a context also has the context's request id and what With put there. JSON escapes control characters, so
// that no value can begin a line; what else is not visible (bidirectional overrides, zero-width characters) is left out.
func Logger(w io.Writer, level slog.Leveler) *slog.Logger {
	options := &slog.HandlerOptions{Level: level, ReplaceAttr: lambdacontext.ReplaceAttr}
	return slog.New(handler{slog.NewJSONHandler(visible{w}, options)})
}

// With returns a context whose log lines have these attributes too.
func With(ctx context.Context, attrs ...slog.Attr) context.Context {
	return context.WithValue(ctx, key{}, slices.Concat(attrsOf(ctx), attrs))
}

type key struct{}

func attrsOf(ctx context.Context) []slog.Attr {
	attrs, _ := ctx.Value(key{}).([]slog.Attr)
	return attrs
}

// Cluster is the attribute that names a cluster.
func Cluster(id cluster.ID) slog.Attr {
	return slog.Group("cluster", "account", id.Account, "region", id.Region, "name", id.Name)
}

// Verdict is the attribute that holds a verdict's words, without their reasons.
func Verdict(v guard.Verdict) slog.Attr {
	return slog.Group("verdict", "word", v.Word, "install", v.Install.Word, "version", v.Version.Word,
		"capacity", v.Capacity.Word, "change", v.Change.Word)
}

// handler adds what the context knows to each line.
type handler struct{ slog.Handler }

func (h handler) Handle(ctx context.Context, r slog.Record) error {
	if lc, ok := lambdacontext.FromContext(ctx); ok {
		r.AddAttrs(slog.String("requestId", lc.AwsRequestID))
	}
	r.AddAttrs(attrsOf(ctx)...)
	return h.Handler.Handle(ctx, r)
}

func (h handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return handler{h.Handler.WithAttrs(attrs)}
}

func (h handler) WithGroup(name string) slog.Handler { return handler{h.Handler.WithGroup(name)} }

// visible leaves out of a line what cannot be seen; slog writes each line, and its line break, at once.
type visible struct{ to io.Writer }

func (v visible) Write(line []byte) (int, error) {
	_, err := v.to.Write(bytes.Map(func(r rune) rune {
		if r == '\n' || plain.Visible(r) {
			return r
		}
		return -1
	}, line))
	return len(line), err
}
