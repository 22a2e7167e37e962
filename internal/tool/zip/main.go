// Command zip packs files into a reproducible zip, as package bundle describes it, in the order given and without their folders.
//
//	zip OUT FILE...
package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/cniguard/cniguard/internal/bundle"
)

func main() {
	if len(os.Args) < 3 {
		fmt.Fprintln(os.Stderr, "usage: zip OUT FILE...")
		os.Exit(2)
	}
	if err := pack(os.Args[1], os.Args[2:]); err != nil {
		fmt.Fprintf(os.Stderr, "pack %s: %v\n", os.Args[1], err)
		os.Exit(1)
	}
}

func pack(out string, names []string) (err error) {
	files := make([]bundle.File, len(names))
	for i, name := range names {
		info, err := os.Stat(name)
		if err != nil {
			return err
		}
		content, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		files[i] = bundle.File{Name: filepath.Base(name), Executable: info.Mode()&0o100 != 0, Content: content}
	}
	f, err := os.Create(out)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	return bundle.Pack(f, files...)
}
