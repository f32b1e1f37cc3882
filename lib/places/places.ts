import type { PipelineServices, Places } from '../core/pipeline';
import { builtInPlaces } from './built-in';
import { mmdbPlaces } from './mmdb';

/** Names the .mmdb file of a home. */
export const DATABASE_VARIABLE = 'EXPLORERIO_GEOIP_DATABASE';

/** Opens databases of places for pipelines: the file that is named, else the home's, else the built-in data. */
export function openPlaces(home: string | undefined): PipelineServices['places'] {
  let builtIn: Promise<Places> | undefined;
  return (database) => {
    const path = database ?? (home === '' ? undefined : home);
    if (path !== undefined) return mmdbPlaces(path);
    builtIn ??= builtInPlaces();
    return builtIn;
  };
}
