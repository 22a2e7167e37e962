package kubernetes_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/kustomize/kyaml/filesys"

	"github.com/cniguard/cniguard/internal/cni"
	"github.com/cniguard/cniguard/internal/remedy"
)

// bench is where printed commands are carried out: a shell reads them, and the libraries of kubectl and Helm do what they say to a cluster's objects.
type bench struct {
	*testing.T
	files filesys.FileSystem
	live  objects
	// applied is what kubectl applied last, which it keeps as an annotation; nil: somebody else made the objects.
	applied objects
	release map[string]any // the values of Helm's release
	chart   cni.Version    // the version of its chart
	runs    int            // of what changes something
	stdin   string         // what the command before the pipe printed
}

func newBench(t *testing.T, live objects) *bench {
	return &bench{T: t, files: filesys.MakeFsInMemory(), live: live.clone(t)}
}

// do writes the files of a part and runs its commands. It returns what they print.
func (b *bench) do(p remedy.Part) string {
	b.Helper()
	for _, f := range p.Files {
		if err := b.files.WriteFile(f.Name, []byte(f.Text)); err != nil {
			b.Fatal(err)
		}
	}
	var out strings.Builder
	for _, command := range p.Run {
		bare, file, saved := strings.Cut(command, " > ")
		bare, _, _ = strings.Cut(bare, " || ")
		before, last, piped := strings.Cut(bare, " |\n")
		printed := b.run(b.words(before))
		if piped {
			b.stdin = printed
			printed = b.run(b.words(last))
		}
		out.WriteString(printed)
		if saved {
			if err := b.files.WriteFile(b.words(file)[0], []byte(printed)); err != nil {
				b.Fatal(err)
			}
		}
	}
	return out.String()
}

// words are what a POSIX shell makes of a command.
func (b *bench) words(command string) []string {
	b.Helper()
	out, err := exec.Command("sh", "-c", `printf '%s\0' `+command).Output()
	if err != nil {
		b.Fatalf("%v: %s", err, command)
	}
	return strings.Split(strings.TrimSuffix(string(out), "\x00"), "\x00")
}

func after(words []string, flag string) string {
	if i := slices.Index(words, flag); i >= 0 && i+1 < len(words) {
		return words[i+1]
	}
	return ""
}

func (b *bench) run(w []string) string {
	b.Helper()
	switch w[0] {
	case "aws", "mkdir":
		return ""
	case "cp":
		b.write(w[2], b.read(w[1]))
	case "curl":
		b.write(after(w, "-o"), b.download(w[len(w)-1]))
	case "kubectl":
		return b.kubectl(w)
	case "helm":
		return b.helm(w)
	default:
		b.Fatalf("%q is not known here", w)
	}
	return ""
}

func (b *bench) read(name string) []byte {
	b.Helper()
	text, err := b.files.ReadFile(name)
	if err != nil {
		b.Fatal(err)
	}
	return text
}

func (b *bench) write(name string, text []byte) {
	b.Helper()
	if err := b.files.WriteFile(name, text); err != nil {
		b.Fatal(err)
	}
}

var manifestURL = regexp.MustCompile(
	`^https://raw\.githubusercontent\.com/aws/amazon-vpc-cni-k8s/(v[0-9.]+)/config/(?:master|v1\.[0-9]+)/aws-k8s-cni(|-cn|-us-gov-east-1|-us-gov-west-1)\.yaml$`)

const defaultRegistry = "602401143452.dkr.ecr.us-west-2.amazonaws.com"

// download is a release's manifest, of those that are at hand. Its variants differ in the registry alone (config/master/manifests.jsonnet).
func (b *bench) download(url string) []byte {
	b.Helper()
	m := manifestURL.FindStringSubmatch(url)
	if m == nil || manifestFile(m[1]) == "" {
		b.Fatalf("%s is not at hand", url)
	}
	registry := map[string]string{
		"": defaultRegistry, "-cn": "961992271922.dkr.ecr.cn-northwest-1.amazonaws.com.cn",
		"-us-gov-east-1": "151742754352.dkr.ecr.us-gov-east-1.amazonaws.com", "-us-gov-west-1": "013241004608.dkr.ecr.us-gov-west-1.amazonaws.com",
	}[m[2]]
	return bytes.ReplaceAll(manifestText(b.T, m[1]), []byte(defaultRegistry), []byte(registry))
}

// image is that of a container, by its name.
func (b *bench) image(name string) string {
	b.Helper()
	spec := b.live.daemonSet(b.T).Spec.Template.Spec
	for _, c := range append(spec.InitContainers, spec.Containers...) {
		if c.Name == name {
			return c.Image
		}
	}
	return ""
}

// env is a variable of aws-node, "(none)" where it is not there.
func (b *bench) env(name string) string {
	b.Helper()
	for _, c := range b.live.daemonSet(b.T).Spec.Template.Spec.Containers {
		for _, e := range c.Env {
			if c.Name == "aws-node" && e.Name == name {
				return e.Value
			}
		}
	}
	return "(none)"
}

func TestMain(m *testing.M) {
	if _, err := exec.LookPath("sh"); err != nil {
		fmt.Fprintln(os.Stderr, "these tests need a POSIX shell:", err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}
