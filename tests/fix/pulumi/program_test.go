package pulumi_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pulumi/pulumi-aws/sdk/v7/go/aws/eks"
	_ "github.com/pulumi/pulumi/sdk/v3/go/pulumi/config" // the programs need it
)

// made is a resource that a program asks for.
type made struct {
	Type, Name string
	Inputs     map[string]any
	Secrets    []string
}

// language runs programs.
type language struct {
	file string // of the fix
	// prepare compiles programs, and says how each is run.
	prepare func(t *testing.T, programs map[string]string) map[string][]string
}

func languages() map[string]language {
	return map[string]language{"Go": {"vpc_cni.go", compiled}, "TypeScript": {"vpc-cni.ts", translated}, "YAML": {"vpc-cni.yaml", interpreted}}
}

// run is what a program asks for, with a stack's configuration.
func run(t *testing.T, command, environment []string) made {
	t.Helper()
	var complaint bytes.Buffer
	c := exec.Command(command[0], command[1:]...)
	c.Env, c.Stderr = environment, &complaint
	out, err := c.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, complaint.String())
	}
	var all []made
	if err := json.Unmarshal(out, &all); err != nil || len(all) != 1 {
		t.Fatalf("it asks for %s, %v", out, err)
	}
	return all[0]
}

// build runs the Go command in a module.
func build(t *testing.T, module string, args ...string) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "program")
	c := exec.Command("go", append([]string{"build", "-o", program}, args...)...)
	c.Dir = module
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return program
}

func save(t *testing.T, file, text string) string {
	t.Helper()
	if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o755), os.WriteFile(file, []byte(text), 0o600)); err != nil {
		t.Fatal(err)
	}
	return file
}

func absolute(t *testing.T, path string) string {
	t.Helper()
	path, err := filepath.Abs(path)
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// compiled makes one program of those in Go, each a package: nothing of them is changed but the name of the package. They lie over this module, so
// that they are compiled with its requirements.
func compiled(t *testing.T, programs map[string]string) map[string][]string {
	t.Helper()
	module, dir := absolute(t, "."), t.TempDir()
	over := map[string]string{filepath.Join(module, "played/mocks.go"): absolute(t, "yaml/mocks.go")}
	put := func(name, text string) {
		over[filepath.Join(module, "played", name)] = save(t, filepath.Join(dir, name), text)
	}
	imports, cases, commands := "", "", map[string][]string{}
	for name, text := range programs {
		p := fmt.Sprintf("p%d", len(commands))
		rest, ok := strings.CutPrefix(text, "package main\n")
		if !ok {
			t.Fatalf("it is no main package: %s", text)
		}
		put(p+"/vpc_cni.go", "package "+p+"\n"+rest)
		put(p+"/run.go", "package "+p+"\n\nimport \"github.com/pulumi/pulumi/sdk/v3/go/pulumi\"\n\n"+
			"func Run(ctx *pulumi.Context) error {\n\t_, err := vpcCNI(ctx)\n\treturn err\n}\n")
		imports += fmt.Sprintf("\t%q\n", "github.com/cniguard/cniguard/tests/fix/pulumi/played/"+p)
		cases += fmt.Sprintf("\tcase %q:\n\t\tplay(%s.Run)\n", p, p)
		commands[name] = []string{"", p}
	}
	put("main.go", "package main\n\nimport (\n\t\"os\"\n\n"+imports+")\n\nfunc main() {\n\tswitch os.Args[1] {\n"+cases+"\t}\n}\n")
	overlay, err := json.Marshal(map[string]any{"Replace": over})
	if err != nil {
		t.Fatal(err)
	}
	program := build(t, module, "-overlay", save(t, filepath.Join(dir, "overlay.json"), string(overlay)), "./played")
	for _, c := range commands {
		c[0] = program
	}
	return commands
}

// translated has the TypeScript compiler check the programs against the SDKs, and make JavaScript of them.
func translated(t *testing.T, programs map[string]string) map[string][]string {
	t.Helper()
	modules := absolute(t, "../../../.tools/pulumi/node_modules")
	node, err := exec.LookPath("node")
	if err == nil {
		_, err = os.Stat(modules)
	}
	switch {
	case err == nil:
	case os.Getenv("CI") == "true":
		t.Fatalf("%v, and CI skips nothing: install Node.js, and make .tools/pulumi", err)
	default:
		t.Skipf("%v: install Node.js, and make .tools/pulumi", err)
	}
	dir := t.TempDir()
	script, err := os.ReadFile("testdata/run.js")
	if err := errors.Join(err, os.Symlink(modules, filepath.Join(dir, "node_modules"))); err != nil {
		t.Fatal(err)
	}
	args := []string{filepath.Join(modules, ".bin/tsc"), "--strict", "--skipLibCheck", "--target", "es2022", "--module", "commonjs"}
	main, commands := save(t, filepath.Join(dir, "run.js"), string(script)), map[string][]string{}
	for name, text := range programs {
		file := save(t, filepath.Join(dir, fmt.Sprintf("p%d.ts", len(commands))), text)
		args = append(args, file)
		commands[name] = []string{node, main, strings.TrimSuffix(file, ".ts") + ".js"}
	}
	if out, err := exec.Command(node, args...).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return commands
}

// interpreted has the programs in YAML run by Pulumi's interpreter. It is told which arguments the resource takes by the provider's SDK for Go.
func interpreted(t *testing.T, programs map[string]string) map[string][]string {
	t.Helper()
	var arguments []string
	for takes, i := (eks.AddonArgs{}).ElementType(), 0; i < takes.NumField(); i++ {
		arguments = append(arguments, takes.Field(i).Tag.Get("pulumi"))
	}
	program, dir, commands := build(t, "yaml", "."), t.TempDir(), map[string][]string{}
	for name, text := range programs {
		commands[name] = append([]string{program, save(t, filepath.Join(dir, fmt.Sprintf("p%d.yaml", len(commands))), text)}, arguments...)
	}
	return commands
}
