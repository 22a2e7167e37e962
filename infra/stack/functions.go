package stack

import (
	"github.com/aws/aws-cdk-go/awscdk/v2/awskms"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslogs"
	"github.com/aws/aws-cdk-go/awscdk/v2/awss3assets"
	"github.com/aws/constructs-go/constructs/v10"

	"github.com/cniguard/cniguard/internal/event"
)

// memory of a function in MB. The program needs 64; the rest is for the share of a processor that comes with it, which the TLS
// handshakes of a first check wait for.
const memory = 256

// timeout is how long a function may work, in seconds. Urgent checks one cluster: minutes are for AWS's throttling, and there are
// no more of them because a record whose check was killed is busy until they are over. Bulk checks 50 clusters, four at a time,
// and gets all the time that Lambda gives.
func timeout(f event.Target) int {
	if f == event.Urgent {
		return 5 * 60
	}
	return 15 * 60
}

func targets() []event.Target { return []event.Target{event.Urgent, event.Bulk} }

// functions are urgent and bulk: one program, which its environment tells which of the two it is.
type functions map[event.Target]awslambda.CfnFunction

// newFunctions makes both. Failed is the ARN of the failure queue.
func newFunctions(scope constructs.Construct, c Config, key awskms.CfnKey, failed *string) functions {
	zip := awss3assets.NewAsset(scope, str("Zip"), &awss3assets.AssetProps{Path: str(c.Zip)})
	all := functions{}
	for _, f := range targets() {
		own := constructs.NewConstruct(scope, str(string(f)))
		role := newExecutionRole(own, c, f, key)
		all[f] = newFunction(own, c, f, awslambda.CfnFunctionProps{
			Role: role.AttrArn(), Code: awslambda.CfnFunction_CodeProperty{S3Bucket: zip.S3BucketName(), S3Key: zip.S3ObjectKey()},
		})
		// Lambda tries again after one and after two minutes. What failed three times is for a person to look at.
		awslambda.NewCfnEventInvokeConfig(own, str("Invoke"), &awslambda.CfnEventInvokeConfigProps{
			FunctionName: all[f].Ref(), Qualifier: str("$LATEST"), MaximumRetryAttempts: num(2), MaximumEventAgeInSeconds: num(staleAfter),
			DestinationConfig: awslambda.CfnEventInvokeConfig_DestinationConfigProperty{
				OnFailure: awslambda.CfnEventInvokeConfig_OnFailureProperty{Destination: failed},
			},
		})
	}
	return all
}

// newFunction adds to a role and code what else makes a function.
func newFunction(scope constructs.Construct, c Config, f event.Target, props awslambda.CfnFunctionProps) awslambda.CfnFunction {
	log := awslogs.NewCfnLogGroup(scope, str("Log"), &awslogs.CfnLogGroupProps{
		LogGroupName: str(logGroup(f)), RetentionInDays: num(c.LogDays),
	})
	props.FunctionName = str(functionName(f))
	props.Description = str("cniguard: " + about(f))
	props.Runtime, props.Handler = str("provided.al2023"), str("bootstrap")
	props.Architectures = strs("arm64") // a fifth cheaper than x86_64
	props.MemorySize, props.Timeout = num(memory), num(timeout(f))
	props.Environment = awslambda.CfnFunction_EnvironmentProperty{Variables: environment(c, f)}
	props.LoggingConfig = awslambda.CfnFunction_LoggingConfigProperty{
		LogGroup: log.Ref(), LogFormat: str("JSON"),
		// The program filters its own lines. Lambda's filter would hold back what CNIGUARD_LOG_LEVEL asks for.
		ApplicationLogLevel: str("TRACE"),
	}
	if len(c.Network.Subnets) > 0 {
		props.VpcConfig = awslambda.CfnFunction_VpcConfigProperty{
			SubnetIds: strs(c.Network.Subnets...), SecurityGroupIds: strs(c.Network.SecurityGroups...),
		}
	}
	if n := c.function(f).Concurrency; n > 0 {
		props.ReservedConcurrentExecutions = num(n)
	}
	return awslambda.NewCfnFunction(scope, str("Function"), &props)
}

func (c Config) function(f event.Target) Function {
	if f == event.Urgent {
		return c.Urgent
	}
	return c.Bulk
}

func about(f event.Target) string {
	if f == event.Urgent {
		return "checks single clusters and starts updates"
	}
	return "tick, meter and sweep of the whole fleet"
}

func logGroup(f event.Target) string { return "/aws/lambda/" + functionName(f) }

// environment is what docs/lambda.md lists; what has the right default there is left out.
func environment(c Config, f event.Target) map[string]string {
	all := map[string]string{
		"CNIGUARD_FUNCTION":      string(f),
		"CNIGUARD_LEDGER":        tableARN(c.Hub),
		"CNIGUARD_TOPIC_ONCALL":  topicARN(c.Hub, "oncall"),
		"CNIGUARD_TOPIC_CHAT":    topicARN(c.Hub, "chat"),
		"CNIGUARD_TOPIC_MACHINE": topicARN(c.Hub, "machine"),
		"CNIGUARD_BUS":           busARN(c.Hub),
		"CNIGUARD_LOG_LEVEL":     c.LogLevel,
	}
	if c.ExternalID != "" {
		all["CNIGUARD_EXTERNAL_ID"] = c.ExternalID
	}
	return all
}
