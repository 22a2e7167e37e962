package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/cniguard/cniguard/internal/hub"
	"github.com/cniguard/cniguard/internal/remedy"
)

// fixText is the file of a written fix that says all; the files that it speaks of stand in a folder for each step.
const fixText = "fix.txt"

// document is a file to write, by its path below the folder.
type document struct {
	path string
	text []byte
}

// writeFix writes a fix into a folder, whole or not at all. It overwrites nothing: the folder must be new or empty, or have the very same files.
func writeFix(out io.Writer, folder string, f hub.Fix) error {
	files, err := filesOf(f)
	if err != nil {
		return err
	}
	switch same, err := standing(folder, files); {
	case err != nil:
		return err
	case same:
		fmt.Fprintf(out, "The same is in %s already\n", clean(folder))
		return nil
	}
	parent := filepath.Dir(filepath.Clean(folder))
	if err := os.MkdirAll(parent, 0o755); err != nil {
		return fmt.Errorf("--out: %w", err)
	}
	draft, err := os.MkdirTemp(parent, ".cniguard-fix-*")
	if err != nil {
		return fmt.Errorf("--out: %w", err)
	}
	err = errors.Join(put(draft, files), os.Chmod(draft, 0o755))
	if err == nil {
		_ = os.Remove(folder) // where it is empty; else renaming says what is in the way
		err = os.Rename(draft, folder)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("--out: %w", err), os.RemoveAll(draft))
	}
	for _, file := range files {
		fmt.Fprintf(out, "Written: %s\n", clean(filepath.Join(folder, file.path)))
	}
	return nil
}

// standing reports whether a folder has these very files. The error says why they cannot be written there.
func standing(folder string, files []document) (bool, error) {
	here, err := os.ReadDir(folder)
	switch {
	case errors.Is(err, fs.ErrNotExist), err == nil && len(here) == 0:
		return false, nil
	case err != nil:
		if info, statErr := os.Stat(folder); statErr == nil && !info.IsDir() {
			return false, fmt.Errorf("--out %s: it is a file; want a folder, which need not be there", folder)
		}
		return false, fmt.Errorf("--out: %w", err)
	}
	for _, file := range files {
		text, err := os.ReadFile(filepath.Join(folder, file.path))
		if err != nil || !bytes.Equal(text, file.text) {
			return false, fmt.Errorf("--out %s: it has files already, and %s is not among them as it would be written; nothing is overwritten: name a new folder",
				folder, file.path)
		}
	}
	return true, nil
}

func put(folder string, files []document) error {
	for _, file := range files {
		path := filepath.Join(folder, file.path)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, file.text, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// filesOf are the files of a written fix.
func filesOf(f hub.Fix) ([]document, error) {
	var text bytes.Buffer
	sheet{out: &text, written: true}.fix(f)
	files := []document{{fixText, text.Bytes()}}
	add := func(folder string, all []remedy.File) error {
		for _, file := range all {
			if file.Name == "." || file.Name != filepath.Base(file.Name) || !filepath.IsLocal(file.Name) {
				return fmt.Errorf("--out: %q is no name of a file", file.Name)
			}
			w := document{filepath.Join(folder, file.Name), []byte(file.Text)}
			switch i := slices.IndexFunc(files, func(o document) bool { return o.path == w.path }); {
			case i < 0:
				files = append(files, w)
			case !bytes.Equal(files[i].text, w.text):
				return fmt.Errorf("--out: the fix has two files named %s", w.path)
			}
		}
		return nil
	}
	var errs []error
	for _, p := range f.Room {
		errs = append(errs, add(roomFolder, p.Files))
	}
	for i, step := range f.Steps {
		folder := folderOf(i+1, step)
		for _, p := range []remedy.Part{step.Before, step.Change, step.Wait, step.After} {
			errs = append(errs, add(folder, p.Files))
		}
		errs = append(errs, add(filepath.Join(folder, placeOf(step)), step.Back.Files))
	}
	return files, errors.Join(errs...)
}

const (
	roomFolder = "0-room" // where the files of what frees addresses stand
	backFolder = "back"   // where those of a way back stand, below the step's folder
)

// folderOf is the folder of a step's files, as "1-v1.19.6".
func folderOf(n int, step remedy.Step) string {
	name := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '.' || r == '-' {
			return r
		}
		return '_'
	}, strings.ToLower(step.To))
	return fmt.Sprintf("%d-%s", n, name)
}

// placeOf is where the files of the way back stand below the step's folder: in one of their own where one of them has the name of another file.
func placeOf(step remedy.Step) string {
	for _, p := range []remedy.Part{step.Before, step.Change, step.Wait, step.After} {
		for _, file := range p.Files {
			for _, back := range step.Back.Files {
				if back.Name == file.Name && back.Text != file.Text {
					return backFolder
				}
			}
		}
	}
	return ""
}
