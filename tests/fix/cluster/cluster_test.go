// Package cluster_test runs what `cniguard fix` prints for kubectl and Helm: kubectl and Helm themselves, in a POSIX shell, against the API server
// of Kubernetes with its controller of DaemonSets. There are no nodes, so that a roll-out is done when it was seen.
package cluster_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/cniguard/cniguard/internal/cluster"
)

const (
	programs  = "../../../.tools/kubernetes"
	manifests = "../testdata/manifests"
	token     = "cniguard"
)

// id is the one cluster of the tests.
var id = cluster.ID{Account: "444455556666", Region: "us-west-2", Name: "prod"}

// kubeconfig leads to it; empty: its programs are not there.
var kubeconfig string

func TestMain(m *testing.M) {
	code, err := run(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func run(m *testing.M) (code int, err error) {
	switch _, err := os.Stat(programs); {
	case err == nil:
	case !errors.Is(err, fs.ErrNotExist):
		return 1, err
	case os.Getenv("CI") == "true":
		return 1, fmt.Errorf("%s is not there, and CI skips nothing: make .tools/kubernetes", programs)
	default:
		return m.Run(), nil
	}
	dir, err := os.MkdirTemp("", "cluster")
	if err != nil {
		return 1, err
	}
	stop, err := start(dir)
	defer func() {
		stop()
		err = errors.Join(err, os.RemoveAll(dir))
	}()
	if err != nil {
		return 1, err
	}
	return m.Run(), nil
}

// untilRead runs a program until the standard input ends, which it does even if the test is killed.
const untilRead = `"$@" & read -r _; kill -9 $!; wait`

// start starts the programs. What stop ends may also be a part of them.
func start(dir string) (stop func(), err error) {
	var ends []func()
	stop = func() {
		for _, end := range ends {
			end()
		}
	}
	launch := func(program string, args ...string) error {
		log, err := os.Create(filepath.Join(dir, program+".log"))
		if err != nil {
			return err
		}
		c := exec.Command("sh", append([]string{"-c", untilRead, "sh", filepath.Join(programs, program)}, args...)...)
		c.Stdout, c.Stderr = log, log
		life, err := c.StdinPipe()
		if err != nil {
			return err
		}
		if err := c.Start(); err != nil {
			return err
		}
		ends = append(ends, func() {
			_, _ = life.Close(), c.Wait() // how it ended does not matter
		})
		return log.Close()
	}
	ports, err := free(3)
	if err != nil {
		return stop, err
	}
	store, peers, api := "http://127.0.0.1:"+ports[0], "http://127.0.0.1:"+ports[1], "https://127.0.0.1:"+ports[2]
	tokens, key := filepath.Join(dir, "tokens"), filepath.Join(dir, "key.pem")
	controllers := filepath.Join(dir, "controllers")
	kubeconfig = filepath.Join(dir, "kubeconfig")
	return stop, errors.Join(
		os.WriteFile(tokens, []byte(token+",tests,tests\n"), 0o600),
		os.WriteFile(kubeconfig, fmt.Appendf(nil, contexts, api, id.ARN(), token, "elsewhere"), 0o600),
		os.WriteFile(controllers, fmt.Appendf(nil, contexts, api, id.ARN(), token, id.ARN()), 0o600),
		writeKey(key),
		launch("server", "--data-dir", filepath.Join(dir, "etcd"), "--unsafe-no-fsync", "--listen-client-urls", store, "--advertise-client-urls", store,
			"--listen-peer-urls", peers, "--initial-advertise-peer-urls", peers, "--initial-cluster", "default="+peers),
		launch("kube-apiserver", "--etcd-servers", store, "--bind-address", "127.0.0.1", "--secure-port", ports[2], "--cert-dir", dir,
			"--token-auth-file", tokens, "--authorization-mode", "AlwaysAllow", "--service-cluster-ip-range", "10.0.0.0/24",
			"--service-account-issuer", api, "--service-account-key-file", key, "--service-account-signing-key-file", key,
			"--disable-admission-plugins", "ServiceAccount", "--allow-privileged"),
		ready(filepath.Join(dir, "kube-apiserver.log")),
		launch("kube-controller-manager", "--kubeconfig", controllers, "--controllers", "daemonset-controller", "--leader-elect=false", "--secure-port", "0"),
	)
}

// contexts are those of a person who works with several clusters: but for that of the tests they lead nowhere.
const contexts = `apiVersion: v1
kind: Config
clusters:
- {name: here, cluster: {server: %q, insecure-skip-tls-verify: true}}
- {name: elsewhere, cluster: {server: "https://127.0.0.1:1"}}
contexts:
- {name: %q, context: {cluster: here, user: person}}
- {name: elsewhere, context: {cluster: elsewhere, user: person}}
users:
- {name: person, user: {token: %q}}
current-context: %q
`

// free are ports that nobody listens on.
func free(n int) (ports []string, err error) {
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		defer l.Close()
		_, port, err := net.SplitHostPort(l.Addr().String())
		if err != nil {
			return nil, err
		}
		ports = append(ports, port)
	}
	return ports, nil
}

// writeKey makes a key for the tokens of service accounts.
func writeKey(file string) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	der, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return err
	}
	return os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: der}), 0o600)
}

// ready waits until the API server has made what a new cluster has. What it wrote says why it did not.
func ready(log string) error {
	var out []byte
	for range 300 {
		c := exec.Command(filepath.Join(programs, "kubectl"), "--kubeconfig", kubeconfig, "--context", id.ARN(), "get", "namespace", "kube-system")
		var err error
		if out, err = c.CombinedOutput(); err == nil {
			return nil
		}
		time.Sleep(200 * time.Millisecond)
	}
	wrote, err := os.ReadFile(log)
	return errors.Join(err, fmt.Errorf("no API server after a minute: %s\n%s", out, wrote[max(0, len(wrote)-2000):]))
}
