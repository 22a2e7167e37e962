package main

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go/logging"
	"github.com/aws/smithy-go/middleware"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/cniguard/cniguard/internal/access"
	"github.com/cniguard/cniguard/internal/app"
	"github.com/cniguard/cniguard/internal/clock"
	"github.com/cniguard/cniguard/internal/cluster"
	"github.com/cniguard/cniguard/internal/event"
	"github.com/cniguard/cniguard/internal/hub"
	"github.com/cniguard/cniguard/internal/ledger"
)

// What the deployed hub's table and bus are called.
const (
	hubTable = "cniguard"
	hubBus   = "cniguard"
)

const (
	callTakes = 25 * time.Second // at most, with its retries: no call without a deadline
	tryTakes  = 10 * time.Second
)

// reach is how a command gets to the deployed hub: with the person's own credentials, found as the AWS CLI finds them.
type reach struct{ profile, region string }

func (r *reach) flags(f *pflag.FlagSet) {
	f.StringVar(&r.profile, "profile", "", "AWS profile with your credentials (default: as for the AWS CLI)")
	f.StringVar(&r.region, "region", "", "region of the hub (default: as for the AWS CLI)")
}

// desk is a person at the deployed hub, whom AWS has recognised.
type desk struct {
	hub.Hub
	config aws.Config
	who    person
}

// person is who AWS says the credentials belong to.
type person struct {
	id      string // aws:userid: who gives an order, by the word of IAM
	name    string // for people to read
	account string
}

// atHub does something at the hub. An interrupt, the end of the terminal and a request to end it end it in order. What AWS refuses is told with
// what to do about it.
func (r *reach) atHub(c *cobra.Command, do func(context.Context, *desk) error) error {
	ctx, stop := signal.NotifyContext(c.Context(), endings()...)
	defer stop()
	d, err := r.open(ctx)
	if err == nil {
		err = do(ctx, d)
	}
	if err == nil || d == nil {
		return err
	}
	return hub.Advise(err, event.Unit{Account: d.who.account, Region: d.config.Region})
}

// endings are the signals that end a command. Who started it with nohup wants it to outlive the terminal.
func endings() []os.Signal {
	if signal.Ignored(syscall.SIGHUP) {
		return []os.Signal{os.Interrupt, syscall.SIGTERM}
	}
	return []os.Signal{os.Interrupt, syscall.SIGTERM, syscall.SIGHUP}
}

// open finds credentials and region, and asks AWS whose they are. It returns the desk as far as it got.
func (r *reach) open(ctx context.Context) (*desk, error) {
	wall := clock.Real{}
	cfg, err := config.LoadDefaultConfig(ctx, r.options(wall)...)
	var absent config.SharedConfigProfileNotExistError
	switch {
	case errors.As(err, &absent):
		return nil, fmt.Errorf("--profile %s: there is no such profile; `aws configure list-profiles` lists those there are", absent.Profile)
	case err != nil:
		return nil, fmt.Errorf("read the AWS configuration: %w", err)
	case !cluster.IsRegion(cfg.Region):
		return nil, fmt.Errorf("--region %q: want the hub's region, as eu-central-1; AWS_REGION or the profile may name it too", cfg.Region)
	}
	if _, err := cfg.Credentials.Retrieve(ctx); err != nil {
		return nil, fmt.Errorf("no AWS credentials found: sign in (as with `aws sso login`), or name a profile with --profile; cause: %w", err)
	}
	d := &desk{config: cfg}
	client := sts.NewFromConfig(cfg)
	out, err := client.GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if f := access.Fault("sts:GetCallerIdentity", err); f != nil {
		err = fmt.Errorf("ask AWS who you are: %w", f)
		if f.Code == "" {
			return nil, fmt.Errorf("%s cause: %w", silent(cfg.Region, client.Options().BaseEndpoint), err)
		}
		return d, err
	}
	now, known := awsmiddleware.GetServerTime(out.ResultMetadata)
	if !known {
		now = wall.Now()
	}
	d.who = person{id: aws.ToString(out.UserId), name: nameIn(aws.ToString(out.Arn)), account: aws.ToString(out.Account)}
	d.Hub = hub.Hub{
		Ledger: ledger.NewDynamo(dynamodb.NewFromConfig(cfg), hubTable, wall),
		Waker:  app.NewWaker(eventbridge.NewFromConfig(cfg), hubBus, wall),
		Clock:  wall, Now: now.UTC(),
	}
	return d, nil
}

// silent says that nothing of AWS answers, and what may be wrong: the region, or the endpoint that is meant to stand for AWS.
func silent(region string, endpoint *string) string {
	if endpoint != nil {
		return "no answer from " + *endpoint + ", which AWS_ENDPOINT_URL or the profile gives in place of AWS's own address: is that right?"
	}
	return "AWS gave no answer from region " + region + ": is the region right, and the network up?"
}

func (r *reach) options(c clock.Clock) []func(*config.LoadOptions) error {
	own := []func(*config.LoadOptions) error{
		config.WithAppID("cniguard"),
		config.WithLogger(logging.Nop{}), // what goes wrong is in the error
		config.WithHTTPClient(awshttp.NewBuildableClient().WithTimeout(tryTakes)),
		config.WithAPIOptions([]func(*middleware.Stack) error{deadline(c)}),
		config.WithAssumeRoleCredentialOptions(func(o *stscreds.AssumeRoleOptions) { o.TokenProvider = askToken }),
	}
	if r.profile != "" {
		own = append(own, config.WithSharedConfigProfile(r.profile))
	}
	if r.region != "" {
		own = append(own, config.WithRegion(r.region))
	}
	return own
}

// deadline gives each call of AWS an end, whatever it hangs on.
func deadline(c clock.Clock) func(*middleware.Stack) error {
	end := func(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (middleware.InitializeOutput, middleware.Metadata, error) {
		ctx, cancel := c.WithTimeout(ctx, callTakes)
		defer cancel()
		return next.HandleInitialize(ctx, in)
	}
	return func(s *middleware.Stack) error {
		return s.Initialize.Add(middleware.InitializeMiddlewareFunc("deadline", end), middleware.Before)
	}
}

// askToken asks for the code that a profile with a multi-factor device needs. The question is no output of the command.
func askToken() (string, error) {
	fmt.Fprint(os.Stderr, "MFA code of your AWS profile: ")
	line, err := bufio.NewReader(os.Stdin).ReadString('\n')
	return strings.TrimSpace(line), err
}

// nameIn is what an ARN of STS or IAM calls a person: "Admin/ana" of a role's session, "ana" of a user.
func nameIn(arn string) string {
	parts := strings.SplitN(arn, ":", 6)
	kind, name, found := strings.Cut(parts[len(parts)-1], "/")
	if !found {
		return cmp.Or(kind, arn)
	}
	return name
}

// place is where a command looks or orders: in a simulated world where --world names one, else at the deployed hub.
type place struct {
	stage
	reach
	at duration
}

func (p *place) flags(c *cobra.Command, at string) {
	p.stage.flags(c)
	p.reach.flags(c.Flags())
	instant(c, &p.at, at)
}

// simulated reports whether the command is about a simulated world. The error names flags that have no meaning where it is.
func (p *place) simulated(c *cobra.Command) (bool, error) {
	ofAWS := []string{"profile", "region", "wait"}
	ofWorlds := []string{"policy", "orders", "seed", "sdk", "at", "by"}
	var wrong []error
	c.Flags().Visit(func(f *pflag.Flag) {
		switch {
		case p.world != "" && slices.Contains(ofAWS, f.Name):
			wrong = append(wrong, fmt.Errorf("--%s is for the deployed hub, and --world is for a simulated one: take one of them away", f.Name))
		case p.world == "" && slices.Contains(ofWorlds, f.Name):
			wrong = append(wrong, fmt.Errorf("--%s is for a simulated world: add --world WORLD, or take it away to reach the deployed hub", f.Name))
		}
	})
	return p.world != "", errors.Join(wrong...)
}
