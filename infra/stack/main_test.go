package stack_test

import (
	"fmt"
	"os"
	"os/exec"
	"testing"
)

// TestMain gives all tests of this package one Node process, which the first construct starts. It ends when its input does, with
// the tests: to end it by jsii.Close is a data race inside of jsii. What jsii unpacks goes into a folder of the tests'. Where there
// is no Node, the tests are skipped, which CI does not accept.
func TestMain(m *testing.M) {
	os.Exit(run(m))
}

func run(m *testing.M) int {
	if _, err := exec.LookPath("node"); err != nil {
		fmt.Println("skipped: the CDK needs Node:", err)
		if os.Getenv("CI") != "" {
			return 1
		}
		return 0
	}
	folder, err := os.MkdirTemp("", "stack-test")
	if err != nil {
		fmt.Println(err)
		return 1
	}
	defer os.RemoveAll(folder)
	os.Setenv("TMPDIR", folder)
	os.Setenv("JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION", "18,20") // the CDK works there, and says otherwise at length
	return m.Run()
}
