package main

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/cniguard/cniguard/internal/bundle"
)

const zipWanted = "take remediator-arm64.zip, of make build or of a release"

func packageCommand() *cobra.Command {
	var policyFile, release, out string
	c := &cobra.Command{
		Use:   "package --policy POLICY [--zip ZIP] [--out FILE]",
		Short: "Put a policy into the Lambda's zip, in place of one that is there",
		Long: `Put a policy into the Lambda's zip, in place of one that is there.

The same zip and policy give the same bytes everywhere. What is printed as CodeSha256 is
what Lambda shows of a function that runs the new zip.`,
		Args: noArguments(),
		Example: `  cniguard package --policy policy.yaml
  cniguard package --policy policy.yaml --zip remediator-arm64.zip --out cniguard.zip`,
		RunE: func(c *cobra.Command, _ []string) error {
			if err := given(needed{"policy", policyFile, "want a policy file (docs/policy.md)"}); err != nil {
				return err
			}
			p, err := readFile("--policy", policyFile, readHandedIn)
			old, missing := load("--zip", release)
			if missing != nil {
				missing = fmt.Errorf("%w; %s", missing, zipWanted)
			}
			if err := errors.Join(err, missing, writable(out, release)); err != nil {
				return err
			}
			packed, err := bundle.Repack(old, p)
			if err != nil {
				return fmt.Errorf("--zip %s: %w; %s", release, err, zipWanted)
			}
			if err := os.WriteFile(out, packed, 0o644); err != nil {
				return fmt.Errorf("--out %w", err)
			}
			sum := sha256.Sum256(packed)
			fmt.Fprintf(c.OutOrStdout(), "%s: policy %s with digest %s\nCodeSha256 %s\n",
				clean(out), clean(policyFile), p.Digest(), base64.StdEncoding.EncodeToString(sum[:]))
			return nil
		},
	}
	f := c.Flags()
	f.StringVarP(&policyFile, "policy", "p", "", "policy file (docs/policy.md)")
	f.StringVar(&release, "zip", "dist/remediator-arm64.zip", "zip of a release, or of make build")
	f.StringVar(&out, "out", "cniguard.zip", "file that is written")
	return c
}

// writable reports why a new zip should not be written to a file: it would replace the release, or there is no such folder.
func writable(out, release string) error {
	old, err := os.Stat(release)
	if err == nil {
		if now, err := os.Stat(out); err == nil && os.SameFile(now, old) {
			return fmt.Errorf("--out %s is the file of --zip: give another name, so that the release stays as it is", out)
		}
	}
	folder := filepath.Dir(out)
	if _, err := os.Stat(folder); errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("--out %s: there is no folder %s", out, folder)
	}
	return nil
}
