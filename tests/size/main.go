// Command size measures what a cold start pays for: the zip, the program in it, and how long the program takes from its start
// to its first poll of the Lambda runtime API, which a server on this machine plays. make size runs it.
//
//	size DIST
//
// DIST holds remediator-ARCH.zip and ARCH/bootstrap. A zip above its bound is an error. A start above its bound is a warning
// only, since a busy machine is slow: the ratio to a function that does nothing tells more.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

// The bounds that docs/adr/0003 gives the Lambda.
const (
	zipBound   = 6_000_000 // bytes
	startBound = 15 * time.Millisecond
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: size DIST")
		os.Exit(2)
	}
	if err := measure(context.Background(), os.Stdout, os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func measure(ctx context.Context, w io.Writer, dist string) error {
	if err := sizes(w, dist); err != nil {
		return err
	}
	program := filepath.Join(dist, runtime.GOARCH, "bootstrap")
	if _, err := os.Stat(program); err != nil || runtime.GOOS != "linux" {
		_, err := fmt.Fprintf(w, "start: not measured, since %s/%s runs none of the programs\n", runtime.GOOS, runtime.GOARCH)
		return err
	}
	return starts(ctx, w, program)
}

// sizes prints the size of each zip and of the program in it.
func sizes(w io.Writer, dist string) error {
	zips, err := filepath.Glob(filepath.Join(dist, "remediator-*.zip"))
	if err != nil || len(zips) == 0 {
		return fmt.Errorf("measure %s: there is no remediator-*.zip; want it built before", dist)
	}
	var large []string
	for _, name := range zips {
		zip, err := os.Stat(name)
		if err != nil {
			return fmt.Errorf("measure %s: %w", dist, err)
		}
		arch := strings.TrimSuffix(strings.TrimPrefix(filepath.Base(name), "remediator-"), ".zip")
		program, err := os.Stat(filepath.Join(dist, arch, "bootstrap"))
		if err != nil {
			return fmt.Errorf("measure %s: %w", dist, err)
		}
		if zip.Size() > zipBound {
			large = append(large, arch)
		}
		if _, err := fmt.Fprintf(w, "size: %-5s zip %.2f MB (bound %.0f MB), program %.2f MB\n",
			arch, mega(zip.Size()), mega(zipBound), mega(program.Size())); err != nil {
			return err
		}
	}
	if len(large) > 0 {
		return fmt.Errorf("measure %s: zip above its bound of %.0f MB: %s", dist, mega(zipBound), strings.Join(large, ", "))
	}
	return nil
}

func mega(bytes int64) float64 { return float64(bytes) / 1e6 }
