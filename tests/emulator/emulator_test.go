package emulator_test

import (
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
)

const (
	region = "eu-central-1"
	hub    = "111122223333"
	member = "444455556666"
)

// emulator is AWS as ministack plays it, with IAM's policies enforced.
type emulator struct {
	*testing.T
	server        // ministack itself
	front  *front // what functions and tests talk to
	door   string // URL of the front
}

// start starts an emulator, which ends with the test.
func start(t *testing.T) *emulator {
	t.Helper()
	interpreter := python(t, "python")
	e := &emulator{T: t, front: &front{T: t}}
	door := httptest.NewServer(e.front)
	t.Cleanup(door.Close)
	e.door = door.URL

	dir := t.TempDir()
	command := exec.Command(interpreter, "start.py")
	command.Env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "TMPDIR=" + dir, "S3_DATA_DIR=" + filepath.Join(dir, "s3"), "PYTHONDONTWRITEBYTECODE=1",
		"BIND_HOST=127.0.0.1", "GATEWAY_PORT=0", "AUTH=true", "MINISTACK_REGION=" + region,
		"AWS_ENDPOINT_URL=" + e.door,           // is handed on to the functions
		"LAMBDA_ASYNC_RETRY_BASE_SECONDS=0.05", // where Lambda waits for a minute
	}
	e.server = serve(t, command)
	e.front.pass(e.url)
	return e
}

// as is the configuration of an account's root, to whom the emulator's IAM forbids nothing.
func (e *emulator) as(account string) aws.Config {
	return e.with(aws.Credentials{AccessKeyID: account, SecretAccessKey: "test"})
}

// with is the configuration of whoever has these credentials.
func (e *emulator) with(c aws.Credentials) aws.Config {
	return aws.Config{
		Region: region, BaseEndpoint: &e.door,
		Credentials: credentials.NewStaticCredentialsProvider(c.AccessKeyID, c.SecretAccessKey, c.SessionToken),
	}
}
