package access_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/eks"
	"github.com/aws/aws-sdk-go-v2/service/eks/types"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/traits"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/google/go-cmp/cmp"

	"github.com/cniguard/cniguard/internal/access"
	"github.com/cniguard/cniguard/internal/fault"
)

// answer is an error as the SDK's clients return it.
func answer(status int, code string) error {
	return &smithy.OperationError{ServiceID: "EKS", OperationName: "UpdateAddon", Err: &smithyhttp.ResponseError{
		Response: &smithyhttp.Response{Response: &http.Response{StatusCode: status}},
		Err:      &smithy.GenericAPIError{Code: code, Message: "m"},
	}}
}

// Fact 2.7/codes.
func TestFault(t *testing.T) {
	const change, read = "eks:UpdateAddon", "eks:DescribeAddon"
	retry := fault.Fault{Kind: fault.Retry}
	doubt := fault.Fault{Kind: fault.Retry, InDoubt: true}
	terminal := fault.Fault{Kind: fault.Terminal}
	skip := fault.Fault{Kind: fault.Skip}
	for name, c := range map[string]struct {
		op   string
		err  error
		want fault.Fault
	}{
		"a throttled change did not take effect":                {change, answer(400, "ThrottlingException"), retry},
		"too many requests is a throttle":                       {change, answer(429, "TooManyRequestsException"), retry},
		"EC2's throttle comes as a 503 and is not in doubt":     {"ec2:CreateTags", answer(503, "RequestLimitExceeded"), retry},
		"an unknown code with 429 is a throttle":                {change, answer(429, "SlowPlease"), retry},
		"another update in flight is no doubt about this one":   {change, answer(409, "ResourceInUseException"), retry},
		"an expired token comes right by itself":                {change, answer(403, "ExpiredTokenException"), retry},
		"an unknown access key comes right by itself":           {change, answer(403, "UnrecognizedClientException"), retry},
		"a signature from a clock that is wrong comes right":    {change, answer(403, "InvalidSignatureException"), retry},
		"a time that is too far off comes right":                {change, answer(403, "RequestTimeTooSkewed"), retry},
		"a change that the server broke on is in doubt":         {change, answer(500, "ServerException"), doubt},
		"an unavailable service leaves a change in doubt":       {change, answer(503, "ServiceUnavailableException"), doubt},
		"a read that the server broke on leaves nothing behind": {read, answer(500, "ServerException"), retry},
		"an unknown code with 502 is the server's":              {change, answer(502, "UnknownError"), doubt},
		"an unknown code with 400 is for a person":              {change, answer(400, "BrandNewException"), terminal},
		"a wrong parameter is for a person":                     {change, answer(400, "InvalidParameterException"), terminal},
		"a limit is for a person":                               {change, answer(400, "ResourceLimitExceededException"), terminal},
		"a region that is switched off is for a person":         {read, answer(403, "RegionDisabledException"), terminal},
		"a topic that is gone is for a person":                  {"sns:Publish", answer(404, "NotFound"), terminal},
		"what is not there needs nothing":                       {read, answer(404, "ResourceNotFoundException"), skip},
		"a table that is gone is for a person":                  {"dynamodb:GetItem", answer(400, "ResourceNotFoundException"), terminal},
		"a table that is written too fast comes right":          {"dynamodb:PutItem", answer(400, "ProvisionedThroughputExceededException"), retry},
		"a write that DynamoDB broke on is in doubt":            {"dynamodb:PutItem", answer(500, "InternalServerError"), doubt},
		"a query that DynamoDB broke on leaves nothing behind":  {"dynamodb:Query", answer(500, "InternalServerError"), retry},
		"a batch that DynamoDB broke on leaves nothing behind":  {"dynamodb:BatchGetItem", answer(500, "InternalServerError"), retry},
		"a denied change needs its action": {change, answer(403, "AccessDeniedException"),
			fault.Fault{Kind: fault.Terminal, Need: change}},
		"EC2's word for denied needs its action": {"ec2:DescribeSubnets", answer(403, "UnauthorizedOperation"),
			fault.Fault{Kind: fault.Terminal, Need: "ec2:DescribeSubnets"}},
		"SNS's word for denied needs its action": {"sns:Publish", answer(403, "AuthorizationError"),
			fault.Fault{Kind: fault.Terminal, Need: "sns:Publish"}},
	} {
		t.Run(name, func(t *testing.T) {
			c.want.Op, c.want.Text = c.op, "m"
			var api smithy.APIError
			if errors.As(c.err, &api) {
				c.want.Code = api.ErrorCode()
			}
			if diff := cmp.Diff(&c.want, access.Fault(c.op, c.err)); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

func TestFaultWithoutAnAnswer(t *testing.T) {
	const change, read = "eks:UpdateAddon", "eks:DescribeAddon"
	operation := func(err error) error {
		return &smithy.OperationError{ServiceID: "EKS", OperationName: "UpdateAddon", Err: err}
	}
	var invalid smithy.InvalidParamsError
	invalid.Add(smithy.NewErrParamRequired("AddonName"))
	for name, c := range map[string]struct {
		op      string
		err     error
		kind    fault.Kind
		inDoubt bool
	}{
		"a change that timed out is in doubt":             {change, operation(&smithy.CanceledError{Err: context.DeadlineExceeded}), fault.Retry, true},
		"a change that was cancelled is in doubt":         {change, context.Canceled, fault.Retry, true},
		"a change whose connection was cut is in doubt":   {change, operation(&smithyhttp.RequestSendError{Err: io.ErrUnexpectedEOF}), fault.Retry, true},
		"a change whose answer was cut is in doubt":       {change, operation(&smithy.DeserializationError{Err: io.EOF}), fault.Retry, true},
		"a read that timed out is not in doubt":           {read, context.DeadlineExceeded, fault.Retry, false},
		"a service without address may have one later":    {read, operation(&smithyhttp.RequestSendError{Err: &net.DNSError{IsNotFound: true}}), fault.Retry, false},
		"what was never sent for a mistake is a mistake":  {change, operation(invalid), fault.Terminal, false},
		"what could not be written down was never sent":   {change, operation(&smithy.SerializationError{Err: io.EOF}), fault.Terminal, false},
		"a metric that timed out may have been published": {"cloudwatch:PutMetricData", context.DeadlineExceeded, fault.Retry, true},
		"a deletion that timed out may have been done":    {"cloudwatch:DeleteAlarms", context.DeadlineExceeded, fault.Retry, true},
	} {
		t.Run(name, func(t *testing.T) {
			f := access.Fault(c.op, c.err)
			if f.Kind != c.kind || f.InDoubt != c.inDoubt || f.Op != c.op || f.Denied() {
				t.Errorf("got %+v; want kind %s, in doubt %t", f, c.kind, c.inDoubt)
			}
			if f.Text == "" {
				t.Error("it says nothing")
			}
		})
	}
}

func TestNoErrorIsNoFault(t *testing.T) {
	if f := access.Fault("eks:ListClusters", nil); f != nil {
		t.Errorf("got %v", f)
	}
}

func TestFaultReadsTheSDKsOwnTypes(t *testing.T) {
	message := "no addon"
	err := fmt.Errorf("operation error EKS: %w", &types.ResourceNotFoundException{Message: &message})
	want := &fault.Fault{Kind: fault.Skip, Op: "eks:DescribeAddon", Code: "ResourceNotFoundException", Text: message}
	if diff := cmp.Diff(want, access.Fault("eks:DescribeAddon", err)); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// TestEveryModelledErrorIsClassified fails when an SDK brings an exception that the table does not know. A code in the table has
// one kind whatever the HTTP status; any other is Terminal with 400 and Retry with 500.
// Fact 2.2/types.
func TestEveryModelledErrorIsClassified(t *testing.T) {
	for source, codes := range modelled(t) {
		for _, code := range codes {
			if access.Fault("eks:UpdateAddon", answer(400, code)).Kind != access.Fault("eks:UpdateAddon", answer(500, code)).Kind {
				t.Errorf("%s: %s is not classified", source, code)
			}
		}
	}
}

func TestAnUnclassifiedErrorWouldBeFound(t *testing.T) {
	if access.Fault("eks:UpdateAddon", answer(400, "BrandNewException")).Kind == access.Fault("eks:UpdateAddon", answer(500, "BrandNewException")).Kind {
		t.Error("a code that is not in the table looks like one that is")
	}
}

// modelled are the error codes of every call that cniguard makes. Clients with a type registry give any of its errors from any
// operation. Those with deserializers name them by operation: SNS, STS and EC2, which has none in its model.
func modelled(t *testing.T) map[string][]string {
	codes := map[string][]string{
		"eks":         registered(t, eks.TypeRegistry),
		"cloudwatch":  registered(t, cloudwatch.TypeRegistry),
		"dynamodb":    registered(t, dynamodb.TypeRegistry),
		"eventbridge": registered(t, eventbridge.TypeRegistry),
		"sns":         deserialized(t, "sns", "Publish"),
		"sts":         deserialized(t, "sts", "AssumeRole"),
		"cloudtrail":  deserialized(t, "cloudtrail", "LookupEvents"),
		"ec2": deserialized(t, "ec2", "DescribeInstances", "DescribeInstanceTypes", "DescribeNetworkInterfaces", "DescribeRouteTables", "DescribeSubnets",
			"DescribeVpcPeeringConnections", "DescribeVpcs", "GetSubnetCidrReservations"),
	}
	for service, least := range map[string]int{"eks": 15, "cloudwatch": 25, "dynamodb": 30, "eventbridge": 13, "sns": 15, "sts": 4, "cloudtrail": 7} {
		if len(codes[service]) < least {
			t.Errorf("found only %d error codes of %s: does this test still read them rightly?", len(codes[service]), service)
		}
	}
	// "Error codes for the Amazon EC2 API", EC2 API reference: the common ones and those of the calls.
	codes["ec2 reference"] = strings.Fields(`AuthFailure Blocked FilterLimitExceeded IncompleteSignature InternalError InternalFailure
		InvalidAction InvalidCharacter InvalidClientTokenId InvalidFilter InvalidInput InvalidInstanceID.NotFound InvalidPaginationToken
		InvalidParameter InvalidParameterCombination InvalidParameterValue InvalidQueryParameter InvalidSubnetID.NotFound
		InvalidVpcID.NotFound MalformedQueryString MissingAction MissingAuthenticationToken MissingParameter OptInRequired
		PendingVerification RequestExpired RequestLimitExceeded ServiceUnavailable Unavailable UnauthorizedOperation UnknownParameter
		UnsupportedOperation UnsupportedProtocol ValidationError`)
	codes["common errors"] = strings.Fields(`AccessDenied AccessDeniedException ExpiredToken ExpiredTokenException IncompleteSignature
		InternalFailure InvalidAction InvalidClientTokenId InvalidSignatureException MissingAuthenticationTokenException NotAuthorized
		OptInRequired RequestExpired ServiceUnavailable SignatureDoesNotMatch Throttling ThrottlingException TooManyRequestsException
		UnknownOperationException UnrecognizedClientException ValidationError ValidationException`)
	return codes
}

// registered are the codes in a client's registry, those of the old query protocol among them.
func registered(t *testing.T, r *smithy.TypeRegistry) []string {
	t.Helper()
	var codes []string
	for id, entry := range r.Entries {
		err, ok := entry.New().(smithy.APIError)
		if !ok {
			t.Fatalf("%s is no error", id)
		}
		codes = append(codes, err.ErrorCode())
		if query, ok := smithy.SchemaTrait[*traits.AWSQueryError](entry.Schema); ok {
			codes = append(codes, query.ErrorCode)
		}
	}
	return codes
}

var named = regexp.MustCompile(`EqualFold\("([^"]+)", errorCode\)`)

// deserialized are the codes that a client's deserializers of some operations know by name.
func deserialized(t *testing.T, service string, operations ...string) []string {
	t.Helper()
	dir, err := exec.Command("go", "list", "-f", "{{.Dir}}", "github.com/aws/aws-sdk-go-v2/service/"+service).Output()
	if err != nil {
		t.Fatalf("find the client of %s: %v", service, err)
	}
	file, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(dir)), "deserializers.go"))
	if err != nil {
		t.Fatal(err)
	}
	source := string(file)
	var codes []string
	for _, op := range operations {
		_, body, found := strings.Cut(source, "_deserializeOpError"+op+"(response ")
		body, _, ended := strings.Cut(body, "\n}\n")
		if !found || !ended {
			t.Fatalf("%s has no error deserializer for %s", service, op)
		}
		for _, m := range named.FindAllStringSubmatch(body, -1) {
			codes = append(codes, m[1])
		}
	}
	slices.Sort(codes)
	return codes
}
