// Command zip packs files into a zip whose bytes depend on nothing but the files' names, contents and whether they may be
// executed: no times, no owners, no folders. So everybody can build a release's zip from its source and compare.
//
//	zip OUT FILE...
package main

import (
	"archive/zip"
	"compress/flate"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

func main() {
	if len(os.Args) < 3 {
		fmt.Fprintln(os.Stderr, "usage: zip OUT FILE...")
		os.Exit(2)
	}
	if err := pack(os.Args[1], os.Args[2:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// pack writes the files into a zip, in the order given and without their folders.
func pack(out string, files []string) (err error) {
	f, err := os.Create(out)
	if err != nil {
		return fmt.Errorf("pack %s: %w", out, err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	z := zip.NewWriter(f)
	z.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) { return flate.NewWriter(w, flate.BestCompression) })
	for _, name := range files {
		if err := add(z, name); err != nil {
			return fmt.Errorf("pack %s: %w", out, err)
		}
	}
	if err := z.Close(); err != nil {
		return fmt.Errorf("pack %s: %w", out, err)
	}
	return nil
}

// Lambda runs bootstrap as a user who is not the zip's owner, so everybody may read and run.
const (
	plain      = 0o644
	executable = 0o755
)

func add(z *zip.Writer, name string) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close() //nolint:errcheck // it is only read
	info, err := f.Stat()
	if err != nil {
		return err
	}
	// A header without Modified has no times but the format's own zero.
	header := &zip.FileHeader{Name: filepath.Base(name), Method: zip.Deflate}
	header.SetMode(plain)
	if info.Mode()&0o100 != 0 {
		header.SetMode(executable)
	}
	w, err := z.CreateHeader(header)
	if err != nil {
		return err
	}
	_, err = io.Copy(w, f)
	return err
}
