// Package bundle makes the Lambda's zip: the program and, beside it, the compiled policy. The zip's bytes depend on nothing but
// the files' names, contents and whether they may be executed: no times, no owners, no folders. So everybody can build a
// release's zip from its source and compare, and the same release with the same policy is the same zip everywhere.
package bundle

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"debug/elf"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/cniguard/cniguard/internal/policy"
)

// The names that the Lambda's runtime and the program itself look for.
const (
	Program = "bootstrap"   // Lambda developer guide, "OS-only runtime": the file that provided.al2023 starts
	Policy  = "policy.json" // docs/lambda.md, CNIGUARD_POLICY
)

// File is one file of a zip.
type File struct {
	Name       string // without a folder
	Executable bool
	Content    []byte
}

// Pack writes files into a zip, in the order given.
func Pack(out io.Writer, files ...File) error {
	z := newWriter(out)
	for _, f := range files {
		if err := add(z, f); err != nil {
			return fmt.Errorf("pack %s: %w", f.Name, err)
		}
	}
	return z.Close()
}

// Repack is a release's zip with a policy in it, in place of one that is there. What else is in the zip is taken over as it is,
// so that the program stays the bytes that were released, whichever Go packs it. The error says what is wrong with the zip.
func Repack(release []byte, p *policy.Policy) ([]byte, error) {
	old, err := zip.NewReader(bytes.NewReader(release), int64(len(release)))
	if err != nil {
		return nil, fmt.Errorf("read zip: %w", err)
	}
	if err := runs(old); err != nil {
		return nil, err
	}
	compiled, err := p.MarshalJSON()
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	z := newWriter(&out)
	for _, f := range old.File {
		if f.Name == Policy {
			continue
		}
		if err := z.Copy(f); err != nil {
			return nil, fmt.Errorf("repack %s: %w", f.Name, err)
		}
	}
	// With the line's end, the policy is the same bytes as `cniguard policy compile` writes.
	if err := add(z, File{Name: Policy, Content: append(compiled, '\n')}); err != nil {
		return nil, fmt.Errorf("pack %s: %w", Policy, err)
	}
	if err := z.Close(); err != nil {
		return nil, fmt.Errorf("write zip: %w", err)
	}
	return out.Bytes(), nil
}

// runs reports what keeps Lambda from starting the zip's program: that it is not there, may not be executed, is damaged or is for
// another machine.
func runs(z *zip.Reader) error {
	i := slices.IndexFunc(z.File, func(f *zip.File) bool { return f.Name == Program })
	if i < 0 {
		return fmt.Errorf("read zip: it holds no program: there is no file %s in it", Program)
	}
	f := z.File[i]
	if f.Mode()&0o111 != 0o111 {
		return fmt.Errorf("read zip: %s may not be executed by everybody", Program)
	}
	var program bytes.Buffer
	r, err := f.Open()
	if err == nil {
		_, err = program.ReadFrom(r) // reading to the end compares the checksum
		err = errors.Join(err, r.Close())
	}
	if err != nil {
		return fmt.Errorf("read zip: %s: %w", Program, err)
	}
	return fits(program.Bytes())
}

// fits reports a program for another machine than the functions'. What is no ELF file may be a script, which runs on any.
func fits(program []byte) error {
	if !bytes.HasPrefix(program, []byte(elf.ELFMAG)) {
		return nil
	}
	f, err := elf.NewFile(bytes.NewReader(program))
	switch {
	case err != nil:
		return fmt.Errorf("read zip: %s: %w", Program, err)
	case f.Machine == elf.EM_AARCH64:
		return nil
	}
	machine := f.Machine.String()
	if f.Machine == elf.EM_X86_64 {
		machine = "amd64" // as Go, and the zip, call it
	}
	return fmt.Errorf("its program is for %s, and the functions run on arm64", machine)
}

func newWriter(out io.Writer) *zip.Writer {
	z := zip.NewWriter(out)
	z.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) { return flate.NewWriter(w, flate.BestCompression) })
	return z
}

// Lambda runs bootstrap as a user who is not the zip's owner, so everybody may read and run.
const (
	plain      = 0o644
	executable = 0o755
)

func add(z *zip.Writer, f File) error {
	// A header without Modified has no times but the format's own zero.
	header := &zip.FileHeader{Name: f.Name, Method: zip.Deflate}
	header.SetMode(plain)
	if f.Executable {
		header.SetMode(executable)
	}
	w, err := z.CreateHeader(header)
	if err != nil {
		return err
	}
	_, err = w.Write(f.Content)
	return err
}
