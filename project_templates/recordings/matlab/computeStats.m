function computeStats(file, out)
%COMPUTESTATS  Count, least, greatest and mean value of the bytes of a file, as JSON.
%   The mean has 17 digits, enough to read back the same number. An empty file has
%   no least, greatest and mean value: they are null.
    signal = double(readBytes(file));
    if isempty(signal)
        text = '{"count": 0, "min": null, "max": null, "mean": null}';
    else
        text = sprintf('{"count": %d, "min": %d, "max": %d, "mean": %.17g}', ...
            numel(signal), min(signal), max(signal), sum(signal) / numel(signal));
    end
    writeBytes(out, [text, newline]);
end
