import { connector } from '../../core/connector';
import { classify } from './classify';
import { dynamodbConfig } from './config';
import { endpointOf } from './endpoint';
import { DynamodbSource } from './source';

/** Amazon DynamoDB, and what speaks its protocol. */
export const dynamodb = connector({
  type: 'dynamodb',
  title: 'Amazon DynamoDB',
  modes: ['full', 'incremental'],
  config: dynamodbConfig,
  async open(config, { network }) {
    return new DynamodbSource(config, endpointOf(config, network));
  },
  classify,
});
