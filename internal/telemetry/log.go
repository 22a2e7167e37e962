// Package telemetry is what the program says of itself: JSON log lines, and one line of metrics for each invocation.
package telemetry

import (
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
// that is logged with a context also has the context's request id and what With put there. A text is cleaned to one line, also
// for a reader who decodes the JSON, and cut; nothing that is not visible is written.
func Logger(w io.Writer, level slog.Leveler) *slog.Logger {
	options := &slog.HandlerOptions{Level: level, ReplaceAttr: cleaned}
	return slog.New(handler{slog.NewJSONHandler(plain.Writer(w), options)}) // slog writes each line, and its line break, at once
}

func cleaned(groups []string, a slog.Attr) slog.Attr {
	a = lambdacontext.ReplaceAttr(groups, a)
	if a.Value.Kind() == slog.KindString {
		a.Value = slog.StringValue(plain.Clean(a.Value.String(), plain.Line))
	}
	return a
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
