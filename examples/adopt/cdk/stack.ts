// An HTTP API behind Gatehouse's authorizer, with CDK.
import { Stack, Duration, aws_lambda as lambda, aws_apigatewayv2 as apigw } from 'aws-cdk-lib'
import { HttpLambdaIntegration } from 'aws-cdk-lib/aws-apigatewayv2-integrations'
import { HttpLambdaAuthorizer, HttpLambdaResponseType } from 'aws-cdk-lib/aws-apigatewayv2-authorizers'
import { Construct } from 'constructs'

export class Shop extends Stack {
  constructor(scope: Construct, id: string) {
    super(scope, id)
    const program = (name: string) => new lambda.Function(this, name, {
      runtime: lambda.Runtime.PROVIDED_AL2023, architecture: lambda.Architecture.ARM_64,
      handler: 'bootstrap', timeout: Duration.seconds(3), code: lambda.Code.fromAsset(`dist/${name.toLowerCase()}.zip`),
    })
    const authorizer = program('Authorizer')
    const cached = new HttpLambdaAuthorizer('Cached', authorizer, {
      responseTypes: [HttpLambdaResponseType.SIMPLE], resultsCacheTtl: Duration.seconds(60),
      identitySource: ['$request.header.Authorization', '$context.routeKey'],
    })
    const fresh = new HttpLambdaAuthorizer('Fresh', authorizer, {
      responseTypes: [HttpLambdaResponseType.SIMPLE], resultsCacheTtl: Duration.seconds(0),
      identitySource: ['$request.header.Authorization'],
    })
    const integration = new HttpLambdaIntegration('OrdersIntegration', program('Orders'))
    const api = new apigw.HttpApi(this, 'Api')
    api.addRoutes({ path: '/orders', methods: [apigw.HttpMethod.GET], integration, authorizer: cached })
    api.addRoutes({ path: '/orders/{id}', methods: [apigw.HttpMethod.DELETE], integration, authorizer: fresh })
  }
}
