package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/spf13/cobra"

	"github.com/cniguard/cniguard/internal/cloud"
	"github.com/cniguard/cniguard/internal/event"
	"github.com/cniguard/cniguard/internal/hub"
	"github.com/cniguard/cniguard/internal/policy/source"
	"github.com/cniguard/cniguard/internal/simulate"
)

func doctorCommand() *cobra.Command {
	var r reach
	var policyFile string
	wait := duration(2 * time.Minute)
	c := &cobra.Command{
		Use:   "doctor [--policy POLICY] [--wait 2m]",
		Short: "Check that everything is in place that cniguard needs in AWS",
		Long: `Each line says ok, problem or unknown, and below it what to do. Looked at are the ledger,
the functions, the schedules' work, messages that nobody gets, the failure queue, who is
subscribed, the key, the CloudTrail trails without which changes are seen late, and how the
functions get on in each account and region. The exit code is 1 where there is a problem.

Nothing is changed, but an alarm is made for a moment, without actions and under a name
that begins with "cniguard-doctor-": the doctor has it change its state, waits until the
functions have seen its event, and removes it, and any that an earlier doctor left there.
With --wait 0s none is made or removed.

The accounts and regions are those of --policy, the policy that is deployed, and what has
left its fleet is named and no more; without it, those in which something was seen.`,
		Args: noArguments(),
		Example: `  cniguard doctor
  cniguard doctor --policy policy.yaml --profile ops --region eu-central-1
  cniguard doctor --wait 0s`,
		RunE: func(c *cobra.Command, _ []string) error {
			units, err := unitsOf(policyFile)
			if err != nil {
				return err
			}
			return r.atHub(c, func(ctx context.Context, d *desk) error {
				doctor := d.doctor(units, time.Duration(wait))
				if wait > 0 {
					fmt.Fprintf(c.ErrOrStderr(), "an alarm's event is waited for, %s at most\n", simulate.Span(doctor.Wait))
				}
				return printDiagnoses(c.OutOrStdout(), d, doctor.Examine(ctx))
			})
		},
	}
	r.flags(c.Flags())
	c.Flags().StringVarP(&policyFile, "policy", "p", "", "policy file that is deployed (docs/policy.md)")
	c.Flags().Var(&wait, "wait", "how long to wait for the event of an alarm made for it; 0s: none is made")
	return c
}

// unitsOf are the accounts and regions of a policy file; none: there is no file.
func unitsOf(file string) ([]event.Unit, error) {
	if file == "" {
		return nil, nil
	}
	p, err := readFile("--policy", file, source.Read)
	if err != nil {
		return nil, err
	}
	return p.Units(), nil
}

func (d *desk) doctor(fleet []event.Unit, wait time.Duration) hub.Doctor {
	return hub.Doctor{
		Hub: d.Hub, Place: event.Unit{Account: d.who.account, Region: d.config.Region}, Fleet: fleet,
		SNS: sns.NewFromConfig(d.config), KMS: kms.NewFromConfig(d.config), Lambda: lambda.NewFromConfig(d.config), Queue: sqs.NewFromConfig(d.config),
		Trails: func(region string) hub.Trails {
			return cloudtrail.NewFromConfig(d.config, func(o *cloudtrail.Options) { o.Region = region })
		},
		Probe: cloud.ProbeFromConfig(d.config, d.Clock), Wait: wait,
	}
}

// printDiagnoses writes what the doctor found. The error is that there are problems.
func printDiagnoses(out io.Writer, d *desk, all []hub.Diagnosis) error {
	fmt.Fprintf(out, "%s in account %s, region %s, at %s UTC\n\n", clean(d.who.name), d.who.account, d.config.Region, when(d.Now))
	problems := 0
	for _, one := range all {
		foldTo(out, screen, fmt.Sprintf("%-7s  ", one.Health), clean(one.What)+": "+clean(one.Text))
		if one.Do != "" {
			foldTo(out, screen, "         do: ", clean(one.Do))
		}
		if one.Health == hub.Problem {
			problems++
		}
	}
	if problems > 0 {
		return fmt.Errorf("doctor: %s", count(problems, "problem"))
	}
	return nil
}
