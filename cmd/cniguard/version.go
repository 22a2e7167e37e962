package main

import (
	"fmt"
	"runtime"

	"github.com/spf13/cobra"
)

// release is the version of the next or the present release; CHANGELOG.md begins with it.
const release = "0.1.0-dev"

func versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "version",
		Short:   "Print the version",
		Args:    noArguments(),
		Example: `  cniguard version`,
		RunE: func(c *cobra.Command, _ []string) error {
			_, err := fmt.Fprintf(c.OutOrStdout(), "cniguard %s (%s, %s/%s)\n", release, runtime.Version(), runtime.GOOS, runtime.GOARCH)
			return err
		},
	}
}
