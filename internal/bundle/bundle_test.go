package bundle_test

import (
	"archive/zip"
	"bytes"
	"debug/elf"
	"encoding/binary"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cniguard/cniguard/internal/bundle"
	"github.com/cniguard/cniguard/internal/policy"
	"github.com/cniguard/cniguard/internal/policy/source"
)

var program = bundle.File{Name: "bootstrap", Executable: true, Content: []byte(strings.Repeat("a program ", 1000))}

// rules is a policy of one account with a floor.
func rules(t *testing.T, floor string) *policy.Policy {
	t.Helper()
	const text = "version: 1\nfleet: [{account: \"111122223333\", regions: [eu-central-1]}]\ndefaults: {floor: FLOOR}\n"
	p, err := source.Read("policy.yaml", []byte(strings.Replace(text, "FLOOR", floor, 1)))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// compiled is the file that holds a policy, as `cniguard policy compile` writes it.
func compiled(t *testing.T, p *policy.Policy) bundle.File {
	t.Helper()
	text, err := p.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	return bundle.File{Name: "policy.json", Content: append(text, '\n')}
}

func pack(t *testing.T, files ...bundle.File) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := bundle.Pack(&out, files...); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func repack(t *testing.T, release []byte, p *policy.Policy) []byte {
	t.Helper()
	out, err := bundle.Repack(release, p)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// entry is what a zip says of a file.
type entry struct {
	Name    string
	Mode    os.FileMode
	Content string
}

func entries(t *testing.T, data []byte) (all []entry) {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, entry{f.Name, f.Mode(), string(content)})
	}
	return all
}

// elfFor is the head of an ELF file: a program for a machine.
func elfFor(t *testing.T, machine elf.Machine) bundle.File {
	t.Helper()
	head := elf.Header64{Type: uint16(elf.ET_EXEC), Machine: uint16(machine), Version: uint32(elf.EV_CURRENT), Ehsize: 64}
	copy(head.Ident[:], elf.ELFMAG+string([]byte{byte(elf.ELFCLASS64), byte(elf.ELFDATA2LSB), byte(elf.EV_CURRENT)}))
	var out bytes.Buffer
	if err := binary.Write(&out, binary.LittleEndian, head); err != nil {
		t.Fatal(err)
	}
	return bundle.File{Name: "bootstrap", Executable: true, Content: out.Bytes()}
}

func TestAProgramForTheFunctionsMachineIsTaken(t *testing.T) {
	repack(t, pack(t, elfFor(t, elf.EM_AARCH64)), rules(t, "v1.10.2"))
}

func TestTheZipIsTheSameWhetherThePolicyWasBuiltInOrPutInLater(t *testing.T) {
	p := rules(t, "v1.10.2")
	built := pack(t, program, compiled(t, p))
	for name, release := range map[string][]byte{
		"of a release without a policy":      pack(t, program),
		"of one that was packed with it":     built,
		"of one that was packed with others": repack(t, pack(t, program), rules(t, "v1.18.5")),
	} {
		if !bytes.Equal(built, repack(t, release, p)) {
			t.Errorf("%s: other bytes", name)
		}
	}
	if bytes.Equal(built, repack(t, built, rules(t, "v1.18.5"))) {
		t.Error("another policy gave the same bytes")
	}
}

func TestTheZipHoldsTheProgramAndThePolicyThatWasGiven(t *testing.T) {
	p := rules(t, "v1.10.2")
	old := repack(t, pack(t, program, bundle.File{Name: "NOTICE", Content: []byte("a notice")}), rules(t, "v1.18.5"))
	want := []entry{
		{Name: "bootstrap", Mode: 0o755, Content: string(program.Content)},
		{Name: "NOTICE", Mode: 0o644, Content: "a notice"},
		{Name: "policy.json", Mode: 0o644, Content: string(compiled(t, p).Content)},
	}
	have := entries(t, repack(t, old, p))
	if diff := cmp.Diff(want, have); diff != "" {
		t.Error(diff)
	}
	again, err := policy.Load([]byte(have[2].Content))
	if err != nil || again.Digest() != p.Digest() {
		t.Errorf("the Lambda reads another policy from it, or none: %v", err)
	}
}

// A program that another Go, or another tool, compressed stays as it was released.
func TestTheProgramIsTakenOverByteByByte(t *testing.T) {
	var release bytes.Buffer
	z := zip.NewWriter(&release)
	header := &zip.FileHeader{Name: "bootstrap", Method: zip.Store, Modified: time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)}
	header.SetMode(0o755)
	w, err := z.CreateHeader(header)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(program.Content); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	out := repack(t, release.Bytes(), rules(t, "v1.10.2"))
	if !bytes.Contains(out, program.Content) {
		t.Error("the stored program was compressed anew")
	}
}

func TestWhatCannotRunIsRefused(t *testing.T) {
	whole := pack(t, program)
	damaged := bytes.Clone(whole)
	damaged[bytes.Index(damaged, []byte("PK\x01\x02"))+16] ^= 1 // the checksum in the directory
	for name, c := range map[string]struct {
		release []byte
		want    string
	}{
		"a file that is no zip":             {[]byte("version: 1"), "read zip: zip: not a valid zip file"},
		"half of a zip":                     {whole[:len(whole)/2], "read zip: zip: not a valid zip file"},
		"nothing":                           {nil, "read zip: zip: not a valid zip file"},
		"a zip without a program":           {pack(t, bundle.File{Name: "main", Executable: true}), "read zip: it holds no program: there is no file bootstrap in it"},
		"a program in a folder":             {pack(t, bundle.File{Name: "dist/bootstrap", Executable: true}), "read zip: it holds no program: there is no file bootstrap in it"},
		"a program that may not be started": {pack(t, bundle.File{Name: "bootstrap"}), "read zip: bootstrap may not be executed by everybody"},
		"a program for amd64":               {pack(t, elfFor(t, elf.EM_X86_64)), "its program is for amd64, and the functions run on arm64"},
		"a program for another machine":     {pack(t, elfFor(t, elf.EM_RISCV)), "its program is for EM_RISCV, and the functions run on arm64"},
		"a program without its end":         {pack(t, bundle.File{Name: "bootstrap", Executable: true, Content: []byte(elf.ELFMAG)}), "read zip: bootstrap: "},
		"a damaged program":                 {damaged, "read zip: bootstrap: zip: checksum error"},
	} {
		t.Run(name, func(t *testing.T) {
			out, err := bundle.Repack(c.release, rules(t, "v1.10.2"))
			if err == nil || !strings.HasPrefix(err.Error(), c.want) || out != nil {
				t.Errorf("%d bytes, %v; want %s", len(out), err, c.want)
			}
		})
	}
}
